import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { until } from '../../lab/hosts/machine/run.js';
import { Installed } from './support/installed.js';
import { expectPostConditions, expectSurvivesAnyHost } from './support/post-conditions.js';

const TAINT = 'node-role.kubernetes.io/control-plane';

interface HostInFile {
  name: string;
  taints?: unknown[];
}

async function editHosts(cluster: Installed, edit: (host: HostInFile) => void): Promise<void> {
  const { clusterFile } = cluster.lab.files;
  const file = parse(await readFile(clusterFile, 'utf8')) as { spec: { hosts: HostInFile[] } };
  for (const host of file.spec.hosts) edit(host);
  await writeFile(clusterFile, stringify(file));
}

async function installed(name: string, cluster: Installed): Promise<string> {
  const began = Date.now();
  const { all } = await cluster.install();
  console.log(`install-sizes: ${name} installed in ${Math.round((Date.now() - began) / 1000)} s`);
  await cluster.fetchKubeconfig();
  return all ?? '';
}

const taintsOf = async (cluster: Installed, node: string): Promise<string[]> => {
  const keys = await cluster.kubectl(['get', 'node', node, '-o', 'jsonpath={.spec.taints[*].key}']);
  return keys.split(' ').filter(Boolean);
};

/** A pod that tolerates nothing. */
const pod = (name: string, image: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name, image, imagePullPolicy: 'Never', args: ['pause'] }] },
});

describe('a single host that is control plane and worker', () => {
  let cluster: Installed;
  let said: string;

  beforeAll(async () => {
    cluster = await Installed.up('size-one', 'stacked', { hosts: 1 });
    await editHosts(cluster, (host) => {
      host.taints = [];
    });
    said = await installed('one host', cluster);
  });
  afterAll(async () => {
    await cluster?.down();
  });

  expectPostConditions(() => cluster);

  test('is said to be without high availability', () => {
    expect(said).toContain('there is no high availability');
  });

  test('has no taint, and runs a pod that tolerates none', async () => {
    expect(await taintsOf(cluster, 'cp-1')).toEqual([]);
    const image = (await cluster.lab.host('cp-1').exec('ctr -n k8s.io images ls -q | grep agnhost | head -1')).stdout;
    await cluster.kubectl(['apply', '-f', '-'], stringify(pod('ordinary', image)));
    const phase = ['get', 'pod', 'ordinary', '-o', 'jsonpath={.status.phase}'];
    expect(await until(async () => (await cluster.tryKubectl(phase)) === 'Running', 90_000)).toBe(true);
  });

  test('installing again changes nothing', async () => {
    const before = await cluster.fingerprint(cluster.lab.host('cp-1'));
    await cluster.install();
    expect(await cluster.fingerprint(cluster.lab.host('cp-1'))).toBe(before);
  });

  test('gets the taint back when the file says nothing of it any more, and loses it again', async () => {
    await editHosts(cluster, (host) => delete host.taints);
    await cluster.install();
    expect(await taintsOf(cluster, 'cp-1')).toEqual([TAINT]);
    await editHosts(cluster, (host) => {
      host.taints = [];
    });
    await cluster.install();
    expect(await taintsOf(cluster, 'cp-1')).toEqual([]);
  });

  test('comes back by itself after a loss of power', async () => {
    await cluster.lab.host('cp-1').powerOff();
    await cluster.lab.host('cp-1').powerOn();
    expect(await cluster.whole()).toBe(true);
    expect(await cluster.takesWrite('after-power')).toBe(true);
  });
});

const FIVE = ['cp-1', 'cp-2', 'cp-3', 'cp-4', 'cp-5'];

/** Two of them take pods. */
const FIVE_CONTROL_PLANES = stringify({
  apiVersion: 'kubewright.dev/v1alpha1',
  kind: 'Cluster',
  metadata: { name: 'size-five' },
  spec: {
    endpoint: { vip: '10.87.5.100' },
    hosts: FIVE.map((name, index) => ({
      name,
      address: `10.87.5.${11 + index}`,
      role: 'control-plane',
      ...(index < 3 ? {} : { taints: [] }),
    })),
  },
});

describe('five control planes, two of which take pods', () => {
  let cluster: Installed;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubewright-size-five-'));
    const clusterFile = join(directory, 'cluster.yaml');
    await writeFile(clusterFile, FIVE_CONTROL_PLANES);
    cluster = await Installed.up('size-five', 'stacked', { clusterFile });
    await installed('five control planes', cluster);
  });
  afterAll(async () => {
    await cluster?.down();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  expectPostConditions(() => cluster);

  test('each has the taints of the file, and an etcd member', async () => {
    for (const [index, name] of FIVE.entries()) {
      expect({ name, taints: await taintsOf(cluster, name) }).toEqual({ name, taints: index < 3 ? [TAINT] : [] });
    }
    const [first] = cluster.members();
    expect(first && (await cluster.etcdMembers(first))).toHaveLength(5);
  });

  expectSurvivesAnyHost(() => cluster, FIVE);

  test('takes a write while two of them have no power', async () => {
    const lost = ['cp-1', 'cp-2'].map((name) => cluster.lab.host(name));
    for (const host of lost) await host.powerOff();
    try {
      expect(await cluster.takesWrite('without-two')).toBe(true);
    } finally {
      for (const host of lost) await host.powerOn();
    }
    expect(await cluster.whole()).toBe(true);
  });
});
