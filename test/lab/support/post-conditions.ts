import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { until } from '../../../lab/hosts/machine/run.js';
import { dnsHosts, NameObservers } from '../../../lab/probes/names.js';
import { containerdRecipe } from '../../../src/artifacts/recipes.js';
import { countCommands, identityOf } from '../../chaos/promises.js';
import { check, told } from './health.js';
import type { Installed } from './installed.js';

/** As nodes name the bundle's containerd. */
const RUNTIME = `containerd://${containerdRecipe.version.slice(1)}`;

/** What holds of every installed cluster, whatever its topology, asserted from outside. */
export function expectPostConditions(get: () => Installed): void {
  test('every node is Ready with the right version and its own address', async () => {
    const cluster = get();
    const listed = JSON.parse(await cluster.kubectl(['get', 'nodes', '-o', 'json'])) as { items: NodeJson[] };
    const seen = listed.items.map((node) => ({
      name: node.metadata.name,
      address: node.status.addresses.find(({ type }) => type === 'InternalIP')?.address,
      version: node.status.nodeInfo.kubeletVersion,
      runtime: node.status.nodeInfo.containerRuntimeVersion,
      ready: node.status.conditions.find(({ type }) => type === 'Ready')?.status,
    }));
    const everywhere = { version: `v${cluster.version}`, runtime: RUNTIME, ready: 'True' };
    const expected = cluster.nodes().map(({ name, address }) => ({ name, address, ...everywhere }));
    expect(seen).toEqual(expected);
  });

  test('every etcd member is a started voter, and healthy', async () => {
    const cluster = get();
    const [first] = cluster.members();
    if (first === undefined) throw new Error('no etcd member');
    const members = await cluster.etcdMembers(first);
    expect(members.map(([, status, name]) => `${status} ${name}`).sort()).toEqual(
      cluster.members().map(({ name }) => `started ${name}`),
    );
    expect(members.map((member) => member.at(-1))).toEqual(cluster.members().map(() => 'false'));
    expect(await cluster.healthyEtcd(first)).toBe(cluster.members().length);
  });

  test('exactly one host has the VIP, and ARP on this machine agrees', async () => {
    const cluster = get();
    const holders = await cluster.vipHolders();
    expect(holders).toHaveLength(1);
    await cluster.kubectl(['get', '--raw', '/version']);
    const { stdout: neighbour } = await execa('ip', ['neighbour', 'show', 'to', cluster.lab.vip]);
    const card = await holders[0]?.exec(
      `ip -o link show $(ip -o -4 address show to ${cluster.lab.vip} | awk '{print $2}')`,
    );
    const mac = /link\/ether ([0-9a-f:]+)/.exec(card?.stdout ?? '')?.[1];
    expect(mac).toBeDefined();
    expect(neighbour).toContain(mac);
  });

  test('the kubeconfig leads through the VIP at the endpoint’s port, and every API server is at its own', async () => {
    const cluster = get();
    const { endpoint, apiServer } = cluster.ports;
    const server = await cluster.kubectl(['config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}']);
    expect(server).toBe(`https://${cluster.lab.vip}:${endpoint}`);
    for (const host of cluster.controlPlanes()) {
      const direct = ['--server', `https://${host.address}:${apiServer}`, 'get', '--raw', '/readyz'];
      const answer = await cluster.kubectl(direct);
      expect(answer).toBe('ok');
    }
  });

  test('DNS answers from a pod on each node', async () => {
    const cluster = get();
    const image = (await cluster.controlPlanes()[0]?.exec('ctr -n k8s.io images ls -q | grep agnhost | head -1'))
      ?.stdout;
    const pods = cluster.nodes().map(({ name }) => dnsPod(name, image ?? ''));
    await cluster.kubectl(['apply', '-f', '-'], pods.map((pod) => stringify(pod)).join('---\n'));
    const phases = ['get', 'pods', '-l', 'test=dns', '-o', 'jsonpath={.items[*].status.phase}'];
    const all = cluster
      .nodes()
      .map(() => 'Succeeded')
      .join(' ');
    expect(await until(async () => (await cluster.tryKubectl(phases)) === all, 90_000)).toBe(true);
    await cluster.kubectl(['delete', 'pods', '-l', 'test=dns', '--force', '--grace-period=0']);
  });

  test('a health check finds nothing on any host', async () => {
    const { verdict, findings } = await check(get());
    expect(told(findings)).toBe('');
    expect(verdict).toBe('ok');
  });

  test('CoreDNS runs on at least two hosts, where there are two', async () => {
    expect((await dnsHosts(get())).length).toBeGreaterThanOrEqual(Math.min(2, get().nodes().length));
  });

  test('no pod of the installer’s own check is left, and no token that a host was let in with', async () => {
    const cluster = get();
    expect(
      await cluster.kubectl(['-n', 'kube-system', 'get', 'pods', '-l', 'kubewright.dev/check', '-o', 'name']),
    ).toBe('');
    expect(await cluster.joinTokens()).toEqual([]);
  });

  test('one token lets anybody in, kubeadm’s own, and none is there for more than a day', async () => {
    const tokens = await get().bootstrapTokens();
    expect(tokens.filter(({ letsIn }) => letsIn)).toHaveLength(1);
    for (const { name, expires } of tokens) {
      expect(expires.getTime() - Date.now(), name).toBeLessThanOrEqual(24 * 3_600_000);
    }
  });

  test('images that the bundle brought survive the kubelet: collection is off where pinning is not honoured', async () => {
    for (const host of get().nodes()) {
      const { stdout } = await host.exec('cat /var/lib/kubelet/config.yaml; crictl images -o json');
      expect(/imageGCHighThresholdPercent: 100/.test(stdout) || /"pinned": true/.test(stdout)).toBe(true);
    }
  });
}

/** Cuts the power of each host in turn; a write through the VIP has to go through while it is off. */
export function expectSurvivesAnyHost(get: () => Installed, names: string[]): void {
  test.each(names)('takes a write through the VIP while %s has no power', async (name) => {
    const cluster = get();
    const host = cluster.lab.host(name);
    await host.powerOff();
    try {
      expect(await cluster.takesWrite(`without-${name}`)).toBe(true);
    } finally {
      await host.powerOn();
    }
    expect(await cluster.whole()).toBe(true);
  });
}

/**
 * Cuts the power of each host in turn. While it is off, a write through the VIP has to go through, and from every other
 * node names have to be resolved: one within ten seconds, all of them again within a minute.
 */
export function expectNamesWithoutAnyHost(get: () => Installed, names: string[]): void {
  describe('while one host has no power', () => {
    let observers: NameObservers;
    beforeAll(async () => {
      observers = await NameObservers.start(get());
    });
    afterAll(() => observers?.stop());

    test.each(names)('%s: a write goes through the VIP, and names are resolved on all other nodes', async (name) => {
      const cluster = get();
      const host = cluster.lab.host(name);
      const hadDns = (await dnsHosts(cluster)).includes(name);
      const since = Date.now();
      await host.powerOff();
      try {
        expect(await cluster.takesWrite(`without-${name}`)).toBe(true);
        // Where no pod of CoreDNS was lost there is nothing to wait for: the first answers tell.
        const seen = await (hadDns ? observers.recovery(since, name) : observers.recovery(since, name, 3));
        console.log(`${name} lost${hadDns ? ' with a pod of CoreDNS' : ''}: ${JSON.stringify(seen)}`);
        for (const { node, first, lastLost } of seen) {
          expect(first, `first answer on ${node}`).toBeLessThanOrEqual(10);
          expect(lastLost, `last lost answer on ${node}`).toBeLessThanOrEqual(60);
        }
      } finally {
        await host.powerOn();
      }
      expect(await cluster.whole()).toBe(true);
      // The next host may be lost when the pod of this one has come back: two lost at once is another promise.
      expect(await until(async () => (await dnsHosts(cluster)).length >= 2, 120_000)).toBe(true);
      expect(await observers.allAnswered()).toBe(true);
    });

    test('and afterwards, or after install has found it otherwise, CoreDNS runs on two hosts again', async () => {
      const cluster = get();
      await cluster.install();
      expect((await dnsHosts(cluster)).length).toBeGreaterThanOrEqual(2);
    });
  });
}

/** Cuts the power of all hosts at once, and installs in the moment in which it is back, when nothing answers yet. */
export function expectOutlivesBlackout(get: () => Installed): void {
  test('power comes back to all hosts at once: install waits for the cluster, and neither begins nor joins it again', async () => {
    const cluster = get();
    const before = { identity: await identityOf(cluster), counts: await countCommands(cluster) };
    expect(before.counts.map(({ host }) => host)).toEqual(cluster.nodes().map(({ name }) => name));
    await Promise.all(cluster.lab.hosts.map((host) => host.powerOff()));
    await Promise.all(cluster.lab.hosts.map((host) => host.powerOn()));
    await cluster.install();
    expect(await cluster.whole()).toBe(true);
    expect({ identity: await identityOf(cluster), counts: await countCommands(cluster) }).toEqual(before);
  });
}

interface NodeJson {
  metadata: { name: string };
  status: {
    addresses: { type: string; address: string }[];
    nodeInfo: { kubeletVersion: string; containerRuntimeVersion: string };
    conditions: { type: string; status: string }[];
  };
}

function dnsPod(node: string, image: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `dns-${node}`, labels: { test: 'dns' } },
    spec: {
      nodeName: node,
      restartPolicy: 'OnFailure',
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'ask',
          image,
          imagePullPolicy: 'Never',
          args: ['connect', '--timeout=5s', 'kubernetes.default.svc.cluster.local:443'],
        },
      ],
    },
  };
}
