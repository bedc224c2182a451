import { describe, expect, it } from 'vitest';
import { staticPods } from '../../../../../src/activities/check/host/static-pods.js';
import { units } from '../../../../../src/activities/check/host/units.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { at, fifo, lay, look, program, remove, useOneHost } from './one-host.js';

useOneHost();

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });

/** systemd, to which these units are not as they should be. */
function systemd(others: Record<string, string> = {}): void {
  const cases = Object.entries(others).map(([unit, said]) => `${unit}) state='${said}' ;;`);
  program(
    'systemctl',
    `while [ "$1" != -- ]; do shift; done
shift
echo "$@" >${'$'}{0%/*}/asked
for unit in "$@"; do
  state='ActiveState=active SubState=running Result=success'
  case $unit in ${cases.join(' ')} *) ;; esac
  printf '%s\\n' $state "Id=$unit" ''
done`,
  );
}

describe('services', () => {
  it('that run are no fault', async () => {
    systemd();
    expect(await look(units, at(CLUSTER, 'cp-1'))).toEqual([]);
  });

  it('that do not are told with their state', async () => {
    systemd({
      'kubelet.service': 'ActiveState=activating SubState=auto-restart Result=exit-code',
      'keepalived.service': 'ActiveState=inactive SubState=dead Result=success',
    });
    expect(await look(units, at(CLUSTER, 'cp-1'))).toMatchObject([
      { code: 'KW650', evidence: 'kubelet.service is activating (auto-restart, exit-code)' },
      { code: 'KW650', evidence: 'keepalived.service is inactive (dead)' },
    ]);
  });

  it('are those of the role and of the cluster’s choices', async () => {
    const asked = (cluster: typeof CLUSTER, name: string) =>
      units
        .questions(at(cluster, name))
        .split('\n')
        .at(-1)
        ?.replace(/^ask units units | &$/g, '')
        .split(' ') ?? [];
    expect(asked(CLUSTER, 'cp-1')).toEqual([
      'containerd.service',
      'kubelet.service',
      'haproxy.service',
      'keepalived.service',
    ]);
    expect(asked(CLUSTER, 'w-1')).toEqual(['containerd.service', 'kubelet.service']);
    const external = clusterOf({ controlPlanes: 1, workers: 1, etcd: 1, directors: 1 });
    const systemdRuns = { ...external, etcd: { ...external.etcd, runner: 'systemd' } } as typeof external;
    expect(asked(external, 'etcd-1')).toEqual(['containerd.service', 'kubelet.service']);
    expect(asked(systemdRuns, 'etcd-1')).toEqual(['kubewright-etcd.service']);
    const lvs = { ...external, loadBalancer: { type: 'lvs', source: 'bundle' } } as typeof external;
    expect(asked(lvs, 'lb-1')).toEqual(['keepalived.service']);
  });

  it('of a systemd that does not answer are not known', async () => {
    program('systemctl', 'exec sleep 60');
    const change = (script: string) => script.replaceAll('timeout 5', 'timeout 0.2');
    expect(await look(units, at(CLUSTER, 'w-1'), { change })).toMatchObject([{ code: 'KW642' }]);
    program('systemctl', 'echo Id=kubelet.service; echo ActiveState=active');
    expect(await look(units, at(CLUSTER, 'w-1'))).toMatchObject([
      { code: 'KW642', evidence: expect.stringContaining('containerd.service') },
    ]);
  });
});

describe('static pods', () => {
  const pods = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'];

  function run(): void {
    pods.forEach((name, index) => {
      lay(`/etc/kubernetes/manifests/${name}.yaml`, `spec:\n  containers:\n  - command:\n    - ${name}\n    - --x=y\n`);
      lay(`/proc/${100 + index}/cmdline`, `${name}\0--x=y\0`);
    });
  }

  it('that run with their manifests are no fault, and a worker has none', async () => {
    run();
    expect(await look(staticPods, at(CLUSTER, 'cp-1'))).toEqual([]);
    expect(await look(staticPods, at(CLUSTER, 'w-1'))).toEqual([]);
  });

  it('that lack their manifest, do not run or run with another one are told', async () => {
    run();
    remove('/etc/kubernetes/manifests/kube-scheduler.yaml');
    remove('/proc/100/cmdline');
    lay('/proc/103/cmdline', 'etcd\0--x=z\0');
    expect(await look(staticPods, at(CLUSTER, 'cp-1'))).toMatchObject([
      { code: 'KW651', evidence: 'kube-apiserver does not run' },
      { code: 'KW651', evidence: 'kube-scheduler has no manifest' },
      { code: 'KW651', evidence: "etcd runs with other arguments than its manifest's" },
    ]);
  });

  it('are not known where a process keeps whoever reads of it', async () => {
    run();
    // Nobody writes to it: reading hangs, as it does beside a process that hangs in the kernel.
    fifo('/proc/99/cmdline');
    const began = Date.now();
    const change = (script: string) => script.replaceAll('timeout 5', 'timeout 0.5');
    const found = await look(staticPods, at(CLUSTER, 'cp-1'), { change });
    expect(found.map(({ code, evidence }) => `${code} ${evidence.split(' could')[0]}`)).toEqual(
      pods.map((name) => `KW642 whether ${name} runs`),
    );
    expect(Date.now() - began).toBeLessThan(5_000);
  });

  it('of a member that systemd runs are not looked for', async () => {
    run();
    remove('/etc/kubernetes/manifests/etcd.yaml');
    const systemdRuns = { ...CLUSTER, etcd: { ...CLUSTER.etcd, runner: 'systemd' } } as typeof CLUSTER;
    expect(await look(staticPods, at(systemdRuns, 'cp-1'))).toEqual([]);
  });
});
