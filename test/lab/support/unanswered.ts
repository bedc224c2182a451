import { expect, test } from 'vitest';
import type { LabHost } from '../../../lab/hosts/index.js';
import { until } from '../../../lab/hosts/machine/run.js';
import type { Installed } from './installed.js';

/** Containers whose restart would be a harm. CoreDNS may move, and leaders that lose their lease begin anew by themselves. */
const LIVING = 'etcd|kube-apiserver|kube-proxy|kube-flannel|living';

/**
 * The worst hour of an API: `kubectl` and `etcdctl` on the control planes fail every third call, as they do in elections
 * and under load, while a control plane comes back from a reboot and a worker's kubelet is stopped. `install` is repeated
 * meanwhile, and nothing that lives may be another one afterwards.
 */
export function expectNothingLivingIsTouched(get: () => Installed): void {
  test('every third question fails, a control plane reboots, a kubelet is stopped, install runs again and again: all that lives stays', async () => {
    const cluster = get();
    const worker = cluster.lab.host('w-1');
    const rebooted = cluster.lab.host('cp-2');
    await startWitness(cluster, worker);
    const before = await identities(cluster, rebooted);
    for (const host of cluster.controlPlanes()) await host.exec(breakEveryThirdCall('kubectl', 'etcdctl'));
    try {
      await rebooted.powerOff();
      await rebooted.powerOn();
      for (let round = 1; round <= 3; round++) {
        await worker.exec('systemctl stop kubelet');
        const { exitCode } = await cluster.kubewright(['install', cluster.lab.files.clusterFile, '--no-wait'], {
          allowFailure: true,
        });
        console.log(`round ${round}: install ended with ${exitCode}`);
        // What failed too often waits for a person. It is given up, so that the next round looks at everything anew.
        await cluster.kubewright(['abort', '--cluster', cluster.lab.name], { allowFailure: true });
      }
    } finally {
      for (const host of cluster.controlPlanes()) await host.exec(mend('kubectl', 'etcdctl'));
    }
    expect(await until(() => failedCalls(cluster).then((count) => count > 0), 1_000)).toBe(true);
    await cluster.install();
    expect(await cluster.whole()).toBe(true);
    expect(await identities(cluster, rebooted)).toEqual(before);
    await cluster.kubectl(['delete', 'pod', 'living', '--force', '--grace-period=0']);
  });
}

/** A pod of a user on the worker: its container must be the same one afterwards. */
async function startWitness(cluster: Installed, worker: LabHost): Promise<void> {
  const find = 'ctr -n k8s.io images ls -q | grep agnhost | head -1';
  const image = (await worker.exec(find)).stdout.trim();
  const container = { name: 'living', image, imagePullPolicy: 'Never', args: ['pause'] };
  const spec = { nodeName: worker.name, terminationGracePeriodSeconds: 0, containers: [container] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'living' }, spec };
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(pod));
  const phase = ['get', 'pod', 'living', '-o', 'jsonpath={.status.phase}'];
  expect(await until(async () => (await cluster.tryKubectl(phase)) === 'Running', 60_000)).toBe(true);
}

interface Identities {
  nodes: string[];
  members: string[];
  containers: Record<string, string[]>;
}

async function identities(cluster: Installed, rebooted: LabHost): Promise<Identities> {
  const uids = 'jsonpath={range .items[*]}{.metadata.name}={.metadata.uid}{"\\n"}{end}';
  const nodes = (await cluster.kubectl(['get', 'nodes', '-o', uids])).trim().split('\n').sort();
  const [via] = cluster.members();
  if (via === undefined) throw new Error('no etcd member');
  const members = (await cluster.etcdMembers(via)).map(([id, , name]) => `${name} ${id}`).sort();
  const containers: Record<string, string[]> = {};
  for (const host of cluster.lab.hosts.filter((each) => each.name !== rebooted.name)) {
    const { stdout } = await host.exec(`crictl ps -o json`);
    const { containers: list } = JSON.parse(stdout) as { containers: { id: string; metadata: { name: string } }[] };
    const living = list.filter(({ metadata }) => new RegExp(`^(${LIVING})$`).test(metadata.name));
    containers[host.name] = living.map(({ id, metadata }) => `${metadata.name} ${id}`).sort();
  }
  return { nodes, members, containers };
}

/** In the first directory of the path that Kubewright uses; the real programs stay where they are. */
const WRAPPERS = '/usr/local/sbin';

function breakEveryThirdCall(...programs: string[]): string {
  return programs
    .map(
      (name) => `cat >${WRAPPERS}/${name} <<'WRAPPER'
#!/bin/bash
exec 9>>/run/every-third.${name}; flock 9; echo >&9
if [ $(($(wc -l </run/every-third.${name}) % 3)) = 0 ]; then
  echo 'Error from server: etcdserver: leader changed' >&2
  echo failed >>/run/every-third.failed
  exit 1
fi
exec 9>&-
exec /usr/local/bin/${name} "$@"
WRAPPER
chmod 755 ${WRAPPERS}/${name}`,
    )
    .join('\n');
}

function mend(...programs: string[]): string {
  return `rm -f ${programs.map((name) => `${WRAPPERS}/${name}`).join(' ')}`;
}

async function failedCalls(cluster: Installed): Promise<number> {
  const counts = await Promise.all(
    cluster.controlPlanes().map((host) => host.exec('cat /run/every-third.failed 2>/dev/null | wc -l')),
  );
  return counts.reduce((sum, { stdout }) => sum + Number(stdout), 0);
}
