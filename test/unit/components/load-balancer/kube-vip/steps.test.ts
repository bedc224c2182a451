import { beforeEach, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../../../../src/activities/remote-facts.js';
import type { StageContext } from '../../../../../src/activities/step.js';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { proveKubeVip, verifyKubeVip } from '../../../../../src/components/load-balancer/kube-vip/steps/endpoint.js';
import { kubeVipFiles } from '../../../../../src/components/load-balancer/kube-vip/steps/goal.js';
import { startKubeVip } from '../../../../../src/components/load-balancer/kube-vip/steps/startKubeVip.js';
import { writeKubeVip } from '../../../../../src/components/load-balancer/kube-vip/steps/writeKubeVip.js';
import { work } from '../../../../../src/components/load-balancer/kube-vip/work.js';
import { KubewrightError } from '../../../../../src/errors.js';
import type { Action } from '../../../../../src/plan/types.js';
import { BashHosts } from '../../../activities/bash-hosts.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { kubeVipCluster } from './kube-vip-cluster.js';

const IMAGE = 'registry.example.org/kube-vip:v1.2.4';
const PATH = '/etc/kubewright/load-balancer/kube-vip.yaml';
const cluster = kubeVipCluster({ image: IMAGE });
const [self] = cluster.hosts as [ClusterHost];
const wanted = kubeVipFiles(cluster, self, 'eth0', IMAGE);
const manifest = wanted.manifests['kube-vip'];
const digest = wanted.digests['kube-vip'];

let hosts: Map<string, FakeHost>;
let host: FakeHost;

/** Everything as finished steps leave it. */
beforeEach(() => {
  hosts = fakeHosts(cluster);
  host = hostIn(hosts, 'cp-1')
    .fact('interface', 'eth0')
    .fact('answers', '')
    .fact(`file:${PATH}`, digestOf(manifest))
    .fact(`image:${IMAGE}`, 'sha256:1')
    .fact('laid:kube-vip', digestOf(manifest))
    .fact('runs:kube-vip', digest);
});

const contextOf = (action: Action): StageContext => contextAmong(hosts, cluster, action, 'cp-1');

describe('writing the static pod', () => {
  const context = () => contextOf('writeKubeVip');

  test('is done when the manifest is as it has to be and the image is there', async () => {
    expect(await writeKubeVip.probe(context())).toMatchObject({ done: true, changes: [] });
  });

  test('writes the manifest, and nothing where the kubelet looks: that would make the host look like a node', async () => {
    host.fact(`file:${PATH}`, 'old');
    const found = await writeKubeVip.probe(context());
    expect(found.changes).toEqual([`write ${PATH}`]);
    await writeKubeVip.apply(context(), found);
    expect([...host.files]).toEqual([[PATH, manifest]]);
    expect(host.durables).toEqual([]);
  });

  test('names the card that the host’s address is on', async () => {
    host.fact('interface', 'bond0.7').fact(`file:${PATH}`, 'old');
    await writeKubeVip.apply(context(), await writeKubeVip.probe(context()));
    expect(host.files.get(PATH)).toContain('value: bond0.7\n');
  });

  test('pulls the image that the file names, before anything is written', async () => {
    host.facts.delete(`image:${IMAGE}`);
    host.facts.delete(`file:${PATH}`);
    host.durableResult = { exitCode: 1, result: 'exit-code', output: 'no such host' };
    const found = await writeKubeVip.probe(context());
    expect(found.changes).toEqual([`write ${PATH}`, `pull ${IMAGE}`]);
    await expect(writeKubeVip.apply(context(), found)).rejects.toMatchObject({
      code: 'KW431',
      hint: expect.stringContaining('loadBalancer.image'),
    });
    expect(host.durables[0]?.script).toMatch(/^crictl pull '?registry\.example\.org\/kube-vip:v1\.2\.4'?\n$/);
    expect(host.files.size).toBe(0);
  });
});

describe('starting the static pod', () => {
  const context = () => contextOf('startKubeVip');

  test('is done when the process was started with exactly this configuration, and answers', async () => {
    expect(await startKubeVip.probe(context())).toMatchObject({
      done: true,
      found: 'kube-vip runs as a static pod for 10.88.0.100:6443',
      changes: [],
    });
  });

  test.each([
    ['laid:kube-vip', 'old', 'hand the manifest of kube-vip to the kubelet'],
    ['runs:kube-vip', '', 'wait until kube-vip runs with its manifest'],
    ['runs:kube-vip', '0'.repeat(64), 'wait until kube-vip runs with its manifest'],
  ])('not when %s is "%s"', async (fact, value, change) => {
    host.fact(fact, value);
    expect(await startKubeVip.probe(context())).toMatchObject({ done: false, changes: [change] });
  });

  test('not when it runs and does not answer', async () => {
    host.facts.delete('answers');
    expect(await startKubeVip.probe(context())).toMatchObject({ changes: ['wait until kube-vip answers'] });
  });

  test('a pod that does not come up is KW454 with what it said; another failure stays what it is', async () => {
    host.fact('runs:kube-vip', '');
    host.durableResult = { exitCode: 1, result: 'exit-code', output: 'could not create k8s REST config' };
    const apply = async () => startKubeVip.apply(context(), await startKubeVip.probe(context()));
    await expect(apply()).rejects.toMatchObject({
      code: 'KW454',
      host: 'cp-1',
      output: 'could not create k8s REST config',
      hint: expect.stringContaining('/etc/kubernetes/admin.conf'),
    });
    host.remote.runDurable = async () => Promise.reject(new KubewrightError('KW425', 'gone', { transient: true }));
    await expect(apply()).rejects.toMatchObject({ code: 'KW425', transient: true });
  });

  test('in a real bash the manifest gets to the kubelet whole, and the command ends when kube-vip runs with it', async () => {
    host.fact('laid:kube-vip', '').fact('runs:kube-vip', '');
    await startKubeVip.apply(context(), await startKubeVip.probe(context()));
    const bashHosts = new BashHosts(cluster);
    try {
      bashHosts.program('ip', "echo '2: eth0    inet 10.88.0.11/24 scope global eth0'");
      bashHosts.program('crictl', ':');
      bashHosts.program('journalctl', ':');
      bashHosts.write('cp-1', PATH, manifest);
      bashHosts.write('cp-1', 'proc/7/cmdline', '/kube-vip\0manager\0');
      bashHosts.write('cp-1', 'proc/7/environ', `PATH=/bin\0vip_arp=true\0KUBEWRIGHT_CONFIG_DIGEST=${digest}\0`);
      bashHosts.write('cp-1', 'proc/8/cmdline', '/usr/bin/kube-vip-exporter\0');
      bashHosts.write('cp-1', 'proc/8/environ', 'KUBEWRIGHT_CONFIG_DIGEST=x\0');
      // The metrics' port is no part of a directory.
      const script = host.durables[0]?.script.replace('up() {', 'answers() { :; }\nup() {') ?? '';
      const remote = bashHosts.pool().get('cp-1');
      expect(await remote.runDurable({ name: 'start', script } as never)).toMatchObject({ exitCode: 0 });
      expect(bashHosts.read('cp-1', '/etc/kubernetes/manifests/kube-vip.yaml')).toBe(manifest);
      expect(bashHosts.read('cp-1', '/etc/kubernetes/manifests/.kube-vip.yaml.new')).toBeUndefined();
      const signal = new AbortController().signal;
      const after = await startKubeVip.probe(bashHosts.context('startKubeVip', 'cp-1', signal));
      expect(after.changes.filter((change) => change !== 'wait until kube-vip answers')).toEqual([]);
    } finally {
      bashHosts.remove();
    }
  });
});

describe('the virtual IP', () => {
  /** cp-1 has it, and everybody gets an answer there. */
  beforeEach(() => {
    for (const each of hosts.values())
      each.fact('answers', '').fact('api', 'ok').fact('neighbour', '10.88.0.100 dev eth0 lladdr 02:1 REACHABLE');
    host.fact('holds', '');
  });

  test('is proven by others that get an answer, at the API server’s port', async () => {
    expect(await proveKubeVip.probe(contextAmong(hosts, cluster, 'proveKubeVip', null))).toMatchObject({
      done: true,
      found: 'cp-1 holds 10.88.0.100, and cp-2, cp-3, w-1 and w-2 asked there',
    });
    expect(hostIn(hosts, 'w-1').log).toContain('/dev/tcp/10.88.0.100/6443');
  });

  test('two holders are told with the lease that says who it should be, and with no word of keepalived', async () => {
    hostIn(hosts, 'cp-3').fact('holds', '');
    const context = contextAmong(hosts, cluster, 'proveKubeVip', null);
    const found = await proveKubeVip.probe(context);
    const begin = Date.now();
    const clock = vi
      .spyOn(Date, 'now')
      .mockReturnValueOnce(begin)
      .mockReturnValue(begin + 60_000);
    const error = await Promise.resolve(proveKubeVip.apply(context, found)).catch((reason: unknown) => reason);
    clock.mockRestore();
    expect(error).toMatchObject({ code: 'KW352', hint: expect.stringContaining('get lease plndr-cp-lock') });
    expect((error as KubewrightError).hint).not.toMatch(/keepalived|VRRP|112/);
  });

  test('is verified as that of every other load balancer that has one', async () => {
    for (const each of hosts.values()) each.fact('neighbour', '02:1');
    host.fact('mac', '02:1').fact('neighbour', '');
    const probe = () => verifyKubeVip.probe(contextAmong(hosts, cluster, 'verifyKubeVip', null));
    expect(await probe()).toMatchObject({ done: true, found: expect.stringContaining('10.88.0.100:6443') });
    hostIn(hosts, 'w-1').fact('api', '');
    expect(await probe()).toMatchObject({ done: false });
  });

  test('that a stranger has is told before the first change', async () => {
    const route = '10.88.0.100 dev eth0 src 10.88.0.11';
    host.fact('route', route).fact('holder', '10.88.0.100 dev eth0 lladdr 02:99 REACHABLE');
    const context = contextAmong(hosts, cluster, 'checkCluster', null);
    expect(await work.checkTogether(context, [])).toMatchObject([{ code: 'KW334' }]);
  });
});
