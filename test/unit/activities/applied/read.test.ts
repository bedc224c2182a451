import { beforeEach, describe, expect, it } from 'vitest';
import { awaitReading, compareApplied } from '../../../../src/activities/applied/compareApplied.js';
import { readApplied } from '../../../../src/activities/applied/read.js';
import { carryOut } from '../../../../src/activities/step.js';
import { type Cluster, hostsOf } from '../../../../src/cluster/types.js';
import { isKubewrightError } from '../../../../src/errors.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';
import { livingHosts } from './living.js';

let cluster: Cluster;
let hosts: Map<string, FakeHost>;

beforeEach(() => {
  cluster = clusterOf({ controlPlanes: 3, workers: 1 });
  hosts = livingHosts(cluster);
});

const context = () => contextAmong(hosts, cluster, 'compareApplied', null);
const read = async () => (await readApplied(context())).answer;
const everyControlPlane = (change: (host: FakeHost) => void) => {
  for (const { name } of hostsOf(cluster, 'control-plane')) change(hostIn(hosts, name));
};

describe('what was applied', () => {
  it('is nothing only when every control plane says that nothing was begun there', async () => {
    hosts = fakeHosts(cluster);
    expect((await read()).is).toBe('no');
    hostIn(hosts, 'cp-2').cannotTell('initialised');
    expect((await read()).is).toBe('unknown');
    hostIn(hosts, 'cp-2').unanswered.clear();
    hostIn(hosts, 'cp-3').reachable = false;
    expect((await read()).is).toBe('unknown');
  });

  it('is nothing where an init was cut off before it came to its end: it is gone through again', async () => {
    hosts = fakeHosts(cluster);
    const record = {
      cluster: 'demo',
      host: 'cp-1',
      address: '10.88.0.11',
      endpoint: '10.88.0.100:8443',
      caFingerprint: null,
    };
    hostIn(hosts, 'cp-1').fact('initialised', '').fact('owner', JSON.stringify(record));
    expect((await read()).is).toBe('no');
  });

  it.each(['cp-1', 'cp-2', 'cp-3'])('is read through whichever control plane is ready: %s', async (name) => {
    everyControlPlane((host) => host.facts.delete('ready'));
    hostIn(hosts, name).fact('ready', 'ok');
    expect(await read()).toMatchObject({ is: 'yes', value: { via: name, config: { version: '1.34.3' } } });
  });

  it('is unknown, not nothing, while no API server of a cluster is ready', async () => {
    everyControlPlane((host) => host.facts.delete('ready'));
    expect(await read()).toMatchObject({ is: 'unknown', why: expect.stringContaining('cp-1') });
  });

  it.each(['kubeadm-config', 'kubelet-config', 'kube-proxy', 'network', 'nodes'])(
    'is unknown as a whole when the API does not answer for %s, or answers with what cannot be read',
    async (name) => {
      everyControlPlane((host) => host.cannotTell(name));
      expect((await read()).is).toBe('unknown');
      everyControlPlane((host) => host.unanswered.clear());
      everyControlPlane((host) => host.fact(name, '"half of it'));
      expect((await read()).is).toBe('unknown');
    },
  );

  it('is unknown when a cluster that was finished keeps no kubeadm-config', async () => {
    everyControlPlane((host) => host.fact('kubeadm-config', ''));
    expect((await read()).is).toBe('unknown');
  });

  it('does not need a worker that cannot be reached, and says that it was not looked at', async () => {
    hostIn(hosts, 'w-1').reachable = false;
    const { done, comparison } = await compareApplied.probe(context());
    expect(done).toBe(true);
    expect(comparison).toEqual({ differences: [], unchecked: ['what is on w-1: it cannot be asked'] });
  });

  it('says what was not compared where the cluster does not have it', async () => {
    everyControlPlane((host) => host.fact('kube-proxy', ''));
    everyControlPlane((host) => host.facts.delete('begun'));
    const { comparison } = await compareApplied.probe(context());
    expect(comparison?.differences).toEqual([]);
    expect(comparison?.unchecked.join('\n')).toMatch(/kubeProxy\.config: .*no ConfigMap[\s\S]*taken out of/);
  });
});

describe('the step cluster/applied', () => {
  it('changes nothing, and finds nothing to do, for the file that the cluster was made from', async () => {
    expect(await carryOut(compareApplied, context())).toEqual({
      outcome: 'unchanged',
      summary: 'the cluster has what cluster.yaml says',
    });
  });

  it('refuses all at once, each with its key, its line and both values, in groups', async () => {
    cluster.kubernetes.version = '1.34.4';
    cluster.kubernetes.podSubnet = '10.245.0.0/16';
    cluster.kubernetes.kubelet.config = { maxPods: 200 };
    cluster.places = { 'spec.kubernetes.version': 12, 'spec.kubernetes.podSubnet': 13 };
    const error = await carryOut(compareApplied, context()).catch((caught: unknown) => caught);
    expect(isKubewrightError(error) && error).toMatchObject({ code: 'KW361', transient: false });
    const { message } = error as Error;
    expect(message).toContain('("upgrade" is to come):\n    spec.kubernetes.version (line 12): 1.34.3 → 1.34.4');
    expect(message).toContain(
      'can never change on a living cluster:\n    spec.kubernetes.podSubnet (line 13): 10.244.0.0/16 → 10.245.0.0/16',
    );
    expect(message).toContain(
      '("reconfigure" is to come):\n    spec.kubernetes.kubelet.config.maxPods (not in the file): nothing → 200',
    );
  });

  it('goes on with what install applies itself, and says so', async () => {
    for (const host of cluster.hosts) host.labels = { zone: 'a' };
    const { outcome, summary } = await carryOut(compareApplied, context());
    expect(outcome).toBe('unchanged');
    expect(summary).toBe('4 differences: 4 that install applies');
  });

  it('takes a kubeadm that was upgraded by hand for what the cluster has', async () => {
    everyControlPlane((host) =>
      host.fact('kubeadm-config', (host.facts.get('kubeadm-config') ?? '').replace('v1.34.3', 'v1.34.4')),
    );
    await expect(carryOut(compareApplied, context())).rejects.toMatchObject({
      code: 'KW361',
      message: expect.stringContaining('1.34.4 → 1.34.3'),
    });
  });

  it("asks for nothing that Kubewright sets by itself, and sees where the file's own value was taken back", async () => {
    const grace = 'node-monitor-grace-period';
    const made = clusterOf({ controlPlanes: 3, workers: 1 });
    made.kubernetes.controllerManager.extraArgs = [{ name: grace, value: '50s' }];
    const kept = (hosts.get('cp-1')?.facts.get('kubeadm-config') ?? '').replace(
      / *- name: node-monitor.*\n.*value.*\n/,
      '',
    );
    expect(kept).not.toContain(grace);
    everyControlPlane((host) => host.fact('kubeadm-config', kept));
    expect(await carryOut(compareApplied, context())).toMatchObject({ outcome: 'unchanged' });
    hosts = livingHosts(made);
    await expect(carryOut(compareApplied, context())).rejects.toMatchObject({
      message: expect.stringMatching(/controllerManager\.extraArgs\.node-monitor-grace-period .*: 50s → nothing/),
    });
  });

  it('names a single host whose kubelet is of another version', async () => {
    hostIn(hosts, 'w-1').fact('kubelet', 'Kubernetes v1.34.4');
    await expect(carryOut(compareApplied, context())).rejects.toMatchObject({
      message: expect.stringContaining('on w-1): 1.34.4 (its kubelet) → 1.34.3'),
    });
  });

  it('does not believe a ConfigMap that was edited by hand while the hosts go on as before', async () => {
    cluster.kubernetes.apiServer.extraArgs = [{ name: 'v', value: '4' }];
    cluster.kubernetes.kubelet.config = { maxPods: 200 };
    const edited = livingHosts(cluster);
    everyControlPlane((host) => {
      for (const name of ['kubeadm-config', 'kubelet-config'])
        host.fact(name, hostIn(edited, 'cp-1').facts.get(name) ?? '');
    });
    await expect(carryOut(compareApplied, context())).rejects.toMatchObject({
      message: expect.stringMatching(
        /apiServer\.extraArgs\.v \(not in the file; on cp-1, cp-2, cp-3\)[\s\S]*kubelet\.config\.maxPods \(not in the file; on cp-1, cp-2, cp-3, w-1\)/,
      ),
    });
  });

  it('lets an init that was cut off take a corrected setting, and no other version or network', async () => {
    const record = { cluster: 'demo', host: 'x', address: 'x', endpoint: 'x', caFingerprint: null };
    for (const host of hosts.values()) host.fact('owner', JSON.stringify(record));
    cluster.kubernetes.apiServer.extraArgs = [{ name: 'v', value: '4' }];
    expect((await compareApplied.probe(context())).comparison?.differences).toMatchObject([{ verdict: 'install' }]);
    cluster.kubernetes.podSubnet = '10.245.0.0/16';
    await expect(carryOut(compareApplied, context())).rejects.toMatchObject({ code: 'KW361' });
  });

  it('waits for a cluster that comes back, and not for ever', async () => {
    everyControlPlane((host) => host.facts.delete('ready'));
    const gone = await awaitReading(context(), { patienceMs: 5, pollMs: 1 });
    expect(gone.answer.is).toBe('unknown');
    const waiting = awaitReading(context(), { patienceMs: 60_000, pollMs: 1 });
    hostIn(hosts, 'cp-3').fact('ready', 'ok');
    expect((await waiting).answer.is).toBe('yes');
  });

  it('is in the way of a plan while it cannot be told what was applied, and changes nothing', async () => {
    everyControlPlane((host) => host.facts.delete('ready'));
    const { done, problem } = await compareApplied.probe(context());
    expect(done).toBe(false);
    expect(problem).toMatchObject({ code: 'KW360', transient: false });
    hostIn(hosts, 'cp-2').reachable = false;
    expect((await compareApplied.probe(context())).problem).toMatchObject({ code: 'KW360', transient: true });
  });
});
