import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import { notRunHere } from '../unit/not-run.js';
import { expectRecorded } from './support/applied-record.js';
import { Installed } from './support/installed.js';
import { expectOutlivesBlackout, expectPostConditions, expectSurvivesAnyHost } from './support/post-conditions.js';

/**
 * Directory of a bundle that `bundle create --from official --kube-vip` made. The image cannot be had on every machine, and without
 * it nothing of this runs.
 */
const BUNDLE = process.env.KUBEWRIGHT_LAB_KUBE_VIP_BUNDLE ?? '';
const EXAMPLE = join(import.meta.dirname, '../../examples/clusters/kube-vip.yaml');
const HOSTS = ['cp-1', 'cp-2', 'cp-3', 'w-1', 'w-2'];

test.runIf(BUNDLE === '')('an install with kube-vip', (context) => {
  notRunHere(context, 'KUBEWRIGHT_LAB_KUBE_VIP_BUNDLE names no bundle with its image');
});

describe.skipIf(BUNDLE === '')('an install with kube-vip on five fresh hosts', () => {
  let cluster: Installed;

  beforeAll(async () => {
    const spec = { packages: { bundle: BUNDLE } };
    cluster = await Installed.up('kubevip', 'stacked', { clusterFile: EXAMPLE, spec });
    const began = Date.now();
    await cluster.install();
    console.log(`install-kube-vip: installed in ${Math.round((Date.now() - began) / 1000)} s`);
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  expectPostConditions(() => cluster);
  expectRecorded(() => cluster);

  test('it is a ready static pod of every control plane, each with the administrators’ kubeconfig', async () => {
    for (const { name } of cluster.controlPlanes()) {
      const pod = JSON.parse(
        await cluster.kubectl(['-n', 'kube-system', 'get', 'pod', `kube-vip-${name}`, '-o', 'json']),
      );
      expect(pod.metadata.annotations['kubernetes.io/config.source']).toBe('file');
      expect(pod.spec.volumes[0].hostPath.path).toBe('/etc/kubernetes/admin.conf');
      const ready = pod.status.conditions.find(({ type }: { type: string }) => type === 'Ready');
      expect({ name, ready: ready.status }).toEqual({ name, ready: 'True' });
    }
  });

  test('who holds the lease has the virtual IP, and its node’s address is another one', async () => {
    expect((await holders()).map(({ name }) => name)).toEqual([await leaseHolder()]);
    const nodes = await cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].status.addresses[*].address}']);
    expect(nodes.split(' ')).not.toContain(cluster.lab.vip);
  });

  test('installing again changes nothing', async () => {
    const before = await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));
    await cluster.install();
    expect(await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)))).toEqual(before);
  });

  test('a holder whose API server is gone gives the virtual IP to another one', async () => {
    const [holder] = await holders();
    const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';
    await holder?.exec(`mv ${manifest} /root/`);
    const began = Date.now();
    try {
      const moved = async () => {
        const now = await holders();
        return now.length === 1 && now[0] !== holder && (await cluster.takesWrite('holder-without-api'));
      };
      expect(await until(moved, 60_000)).toBe(true);
      console.log(`install-kube-vip: the API server of the holder was taken away; it took ${Date.now() - began} ms`);
    } finally {
      await holder?.exec(`mv /root/kube-apiserver.yaml ${manifest}`);
    }
    expect(await until(() => cluster.whole(), 180_000)).toBe(true);
  });

  expectSurvivesAnyHost(() => cluster, HOSTS);
  expectOutlivesBlackout(() => cluster);

  const holders = (): Promise<LabHost[]> => cluster.vipHolders();
  const leaseHolder = () =>
    cluster.kubectl(['-n', 'kube-system', 'get', 'lease', 'plndr-cp-lock', '-o', 'jsonpath={.spec.holderIdentity}']);
});
