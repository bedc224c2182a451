import { beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../../../src/activities/remote-facts.js';
import type { StageContext } from '../../../../../src/activities/step.js';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { balancerFiles } from '../../../../../src/components/load-balancer/static-pods/steps/files.js';
import { startBalancerPods } from '../../../../../src/components/load-balancer/static-pods/steps/startBalancerPods.js';
import { writeBalancerPods } from '../../../../../src/components/load-balancer/static-pods/steps/writeBalancerPods.js';
import { KubewrightError } from '../../../../../src/errors.js';
import type { Action } from '../../../../../src/plan/types.js';
import { BashHosts } from '../../../activities/bash-hosts.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

const IMAGES = { haproxy: 'docker.io/library/haproxy:3.2.4', keepalived: 'registry.example.org/keepalived:2.3.4' };
const cluster = clusterOf({ controlPlanes: 3, workers: 0 }, { loadBalancer: { type: 'static-pods', images: IMAGES } });
const [self] = cluster.hosts as [ClusterHost];
const wanted = balancerFiles(cluster, self, 'eth0', IMAGES);

let hosts: Map<string, FakeHost>;
let host: FakeHost;

/** Everything as finished steps leave it. */
beforeEach(() => {
  hosts = fakeHosts(cluster);
  host = hostIn(hosts, 'cp-1').fact('interface', 'eth0').fact('answers', '');
  for (const { path, content } of wanted.files) host.fact(`file:${path}`, digestOf(content));
  for (const image of Object.values(IMAGES)) host.fact(`image:${image}`, 'sha256:1');
  for (const pod of ['haproxy', 'keepalived'] as const) {
    host.fact(`laid:${pod}`, digestOf(wanted.manifests[pod])).fact(`runs:${pod}`, wanted.digests[pod]);
  }
});

const contextOf = (action: Action): StageContext => contextAmong(hosts, cluster, action, 'cp-1');

describe('writing the static pods', () => {
  const context = () => contextOf('writeBalancerPods');

  test('is done when every file is as it has to be and the images are there', async () => {
    expect(await writeBalancerPods.probe(context())).toMatchObject({ done: true, changes: [] });
  });

  test('writes what differs and nothing where the kubelet looks: that would make the host look like a node', async () => {
    host.fact('file:/etc/kubewright/load-balancer/keepalived.conf', 'old');
    const found = await writeBalancerPods.probe(context());
    expect(found.changes).toEqual(['write /etc/kubewright/load-balancer/keepalived.conf']);
    await writeBalancerPods.apply(context(), found);
    expect([...host.files.keys()]).toEqual(['/etc/kubewright/load-balancer/keepalived.conf']);
    expect(host.durables).toEqual([]);
  });

  test('pulls images that the file names, before anything is written', async () => {
    host.facts.delete(`image:${IMAGES.haproxy}`);
    host.facts.delete('file:/etc/kubewright/load-balancer/haproxy.yaml');
    host.durableResult = { exitCode: 1, result: 'exit-code', output: 'no such host' };
    const found = await writeBalancerPods.probe(context());
    expect(found.changes).toContain(`pull ${IMAGES.haproxy}`);
    await expect(writeBalancerPods.apply(context(), found)).rejects.toMatchObject({
      code: 'KW431',
      hint: expect.stringContaining('loadBalancer.images'),
    });
    expect(host.durables[0]?.script).toMatch(/^crictl pull '?docker\.io\/library\/haproxy:3\.2\.4'?\n$/);
    expect(host.files.size).toBe(0);
  });

  test('names an address that no card carries', async () => {
    host.facts.delete('interface');
    await expect(writeBalancerPods.probe(context())).rejects.toMatchObject({ code: 'KW461', host: 'cp-1' });
  });
});

describe('starting the static pods', () => {
  const context = () => contextOf('startBalancerPods');

  test('is done when both processes were started with exactly this configuration, and HAProxy answers', async () => {
    expect(await startBalancerPods.probe(context())).toMatchObject({ done: true, changes: [] });
  });

  test.each([
    ['laid:haproxy', 'old', 'hand the manifest of haproxy to the kubelet'],
    ['runs:haproxy', '', 'wait until haproxy runs with its manifest'],
    ['runs:keepalived', '0'.repeat(64), 'wait until keepalived runs with its manifest'],
  ])('not when %s is "%s"', async (fact, value, change) => {
    host.fact(fact, value);
    expect(await startBalancerPods.probe(context())).toMatchObject({ done: false, changes: [change] });
  });

  test('not when HAProxy runs and does not answer', async () => {
    host.facts.delete('answers');
    expect(await startBalancerPods.probe(context())).toMatchObject({
      done: false,
      changes: ['wait until HAProxy answers'],
    });
  });

  test('hands over the manifest that changed, and not the other', async () => {
    host.fact('laid:keepalived', 'old').fact('runs:keepalived', 'old');
    await startBalancerPods.apply(context(), await startBalancerPods.probe(context()));
    const [{ script = '' } = {}] = host.durables;
    expect(script).toContain('/etc/kubernetes/manifests/keepalived.yaml');
    expect(script).not.toContain('/etc/kubernetes/manifests/haproxy.yaml');
  });

  test('pods that do not come up are KW488 with what they said; another failure stays what it is', async () => {
    host.fact('runs:haproxy', '');
    host.durableResult = { exitCode: 1, result: 'exit-code', output: 'cannot bind socket' };
    const apply = async () => startBalancerPods.apply(context(), await startBalancerPods.probe(context()));
    await expect(apply()).rejects.toMatchObject({ code: 'KW488', host: 'cp-1', output: 'cannot bind socket' });
    host.remote.runDurable = async () => Promise.reject(new KubewrightError('KW425', 'gone', { transient: true }));
    await expect(apply()).rejects.toMatchObject({ code: 'KW425', transient: true });
  });
});

describe('in a real bash', () => {
  /** A host with the manifests, on which these processes run. */
  function bash(processes: [program: string, digest: string][]): BashHosts {
    const bashHosts = new BashHosts(cluster);
    bashHosts.program('ip', "echo '2: eth0    inet 10.88.0.11/24 scope global eth0'");
    bashHosts.program('crictl', 'echo "crictl $*" >>"$SHARED/calls"');
    bashHosts.program('journalctl', ':');
    for (const { path, content } of wanted.files) bashHosts.write('cp-1', path, content);
    for (const [index, [program, digest]] of processes.entries()) {
      bashHosts.write('cp-1', `proc/${index + 1}/cmdline`, `${program}\0-x\0`);
      bashHosts.write('cp-1', `proc/${index + 1}/environ`, `PATH=/bin\0KUBEWRIGHT_CONFIG_DIGEST=${digest}\0`);
    }
    return bashHosts;
  }

  const signal = new AbortController().signal;
  const both: [string, string][] = [
    ['haproxy', wanted.digests.haproxy],
    ['/usr/sbin/keepalived', wanted.digests.keepalived],
    ['keepalived', wanted.digests.keepalived],
  ];

  test('what is handed over gets to the kubelet whole, and the command ends when both run with it', async () => {
    for (const pod of ['haproxy', 'keepalived']) host.fact(`laid:${pod}`, '');
    const context = contextOf('startBalancerPods');
    await startBalancerPods.apply(context, await startBalancerPods.probe(context));
    const bashHosts = bash([...both, ['haproxy-exporter', 'x']]);
    try {
      // HAProxy's port is no part of a directory.
      const script = host.durables[0]?.script.replace('up() {', 'answers() { :; }\nup() {') ?? '';
      const remote = bashHosts.pool().get('cp-1');
      expect(await remote.runDurable({ name: 'start', script } as never)).toMatchObject({ exitCode: 0 });
      expect(bashHosts.read('cp-1', '/etc/kubernetes/manifests/haproxy.yaml')).toBe(wanted.manifests.haproxy);
      expect(bashHosts.read('cp-1', '/etc/kubernetes/manifests/keepalived.yaml')).toBe(wanted.manifests.keepalived);
      expect(bashHosts.read('cp-1', '/etc/kubernetes/manifests/.haproxy.yaml.new')).toBeUndefined();
      const after = await startBalancerPods.probe(bashHosts.context('startBalancerPods', 'cp-1', signal));
      expect(after.changes).toEqual(['wait until HAProxy answers']);
    } finally {
      bashHosts.remove();
    }
  });

  test('a process that was started with another configuration is not taken for it', async () => {
    const bashHosts = bash([['haproxy', '0'.repeat(64)]]);
    try {
      const context = bashHosts.context('startBalancerPods', 'cp-1', signal);
      for (const pod of ['haproxy', 'keepalived'] as const)
        bashHosts.write('cp-1', `/etc/kubernetes/manifests/${pod}.yaml`, wanted.manifests[pod]);
      expect((await startBalancerPods.probe(context)).changes).toEqual([
        'wait until haproxy runs with its manifest',
        'wait until keepalived runs with its manifest',
      ]);
    } finally {
      bashHosts.remove();
    }
  });
});
