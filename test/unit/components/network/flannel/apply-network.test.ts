import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { carryOut } from '../../../../../src/activities/step.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { renderFlannel } from '../../../../../src/components/network/flannel/render/manifest.js';
import { applyNetwork } from '../../../../../src/components/network/flannel/steps/applyNetwork.js';
import {
  architectureOfNetwork,
  type LivingNetwork,
} from '../../../../../src/components/network/flannel/steps/living-network.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { BUNDLE } from '../../../activities/prepare/fixtures.js';
import { clusterOf } from '../../../cluster-fixture.js';

const upstream = readFileSync(join(import.meta.dirname, '../../../render/golden/flannel-upstream.yml.golden'), 'utf8');
const directory = mkdtempSync(join(tmpdir(), 'kubewright-network-'));
mkdirSync(join(directory, 'manifests'));
writeFileSync(join(directory, 'manifests/kube-flannel.yml'), upstream);
const manifestFile = { path: 'manifests/kube-flannel.yml', size: upstream.length, sha256: 'a'.repeat(64), mode: 0o644 };
const { directory: _, ...bundle } = { ...BUNDLE, files: [...BUNDLE.files, manifestFile] };
writeFileSync(
  join(directory, 'bundle.json'),
  JSON.stringify({ apiVersion: 'kubewright.dev/v1alpha1', kind: 'Bundle', ...bundle }),
);
afterAll(() => rmSync(directory, { recursive: true }));

const OBJECTS = [
  'namespace/kube-flannel',
  'clusterrole.rbac.authorization.k8s.io/flannel',
  'clusterrolebinding.rbac.authorization.k8s.io/flannel',
  'serviceaccount/flannel',
  'configmap/kube-flannel-cfg',
  'daemonset.apps/kube-flannel-ds',
];

let cluster: Cluster;
let hosts: Map<string, FakeHost>;
let via: FakeHost;

const nodes = (podCidr: string, backend: string) =>
  cluster.hosts.map(({ name }) => [name, 'amd64', podCidr, backend].join('\t')).join('\n');
const config = (network: string, backend: object) => JSON.stringify({ Network: network, Backend: backend });

/** flannel runs as it was rendered for the file of now. */
beforeEach(() => {
  cluster = clusterOf(
    { controlPlanes: 1, workers: 1 },
    { packages: { source: 'bundle', bundle: directory, proxy: null } },
  );
  hosts = fakeHosts(cluster);
  via = hostIn(hosts, 'cp-1')
    .fact('ready', 'ok')
    .fact('initialised', '')
    .fact('machine', 'x86_64')
    .fact('hash', renderFlannel(upstream, cluster).hash)
    .fact('config', config('10.244.0.0/16', { Type: 'vxlan' }))
    .fact('nodes', nodes('10.244.1.0/24', 'vxlan'))
    .fact('objects', OBJECTS.join('\n'));
});

const context = () => contextAmong(hosts, cluster, 'applyNetwork', null);
const applied = () => via.log.includes('apply --server-side');

/** From the moment of `apply` on, the cluster has all that it lacked. */
function takesManifest(): void {
  via.answer('apply --server-side', () => {
    via.fact('hash', renderFlannel(upstream, cluster).hash).fact('objects', OBJECTS.join('\n'));
    return '';
  });
}

describe('the pod network', () => {
  it('is left as it is when all of it is there as rendered', async () => {
    expect(await carryOut(applyNetwork, context())).toMatchObject({ outcome: 'unchanged' });
    expect(applied()).toBe(false);
  });

  describe('from a worker that does not get the manifest', () => {
    beforeEach(() => {
      vi.stubEnv('KUBEWRIGHT_CACHE', join(directory, 'no-cache'));
      vi.stubGlobal('fetch', async () => Promise.reject(new Error('no way out')));
      const repository = { url: 'https://pkgs.example.org/', key: '', ca: null, loginEnv: null };
      cluster = { ...cluster, packages: { source: 'repository', repository, proxy: null } };
    });
    afterEach(() => {
      vi.unstubAllEnvs();
      vi.unstubAllGlobals();
    });

    it('is left as it is where all of it is there, and that it was not compared is told', async () => {
      const probe = await applyNetwork.probe(context());
      expect(probe).toMatchObject({ done: true, changes: [] });
      expect(probe.warnings).toEqual([expect.stringMatching(/not compared .* the worker does not get .*no way out/)]);
    });

    it.each(OBJECTS)('wants it where %s is missing', async (gone) => {
      via.fact('objects', OBJECTS.filter((name) => name !== gone).join('\n'));
      await expect(applyNetwork.probe(context())).rejects.toMatchObject({ code: 'KW378' });
    });

    it('wants it where Kubewright has not applied it', async () => {
      via.fact('hash', '');
      await expect(applyNetwork.probe(context())).rejects.toMatchObject({ code: 'KW378' });
    });

    it('is told to be another one all the same', async () => {
      via.fact('config', config('10.99.0.0/16', { Type: 'vxlan' }));
      expect((await applyNetwork.probe(context())).problem).toMatchObject({ code: 'KW363' });
    });
  });

  it.each(OBJECTS)('is applied again when %s was deleted', async (gone) => {
    via.fact('objects', OBJECTS.filter((name) => name !== gone).join('\n'));
    takesManifest();
    const { found } = await applyNetwork.probe(context());
    expect(found).toContain(gone.replace(/\..*\//, '/'));
    expect(await carryOut(applyNetwork, context())).toMatchObject({ outcome: 'changed' });
    expect(applied()).toBe(true);
  });

  it('is applied to a new cluster, and where the manifest alone is another one', async () => {
    takesManifest();
    via.fact('hash', '').fact('config', '').fact('objects', '').fact('nodes', nodes('10.244.0.0/24', ''));
    expect(await carryOut(applyNetwork, context())).toMatchObject({ outcome: 'changed' });
    via.fact('hash', 'of an older manifest');
    expect(await carryOut(applyNetwork, context())).toMatchObject({ outcome: 'changed' });
  });

  it.each<[string, () => void, string]>([
    ['another network', () => via.fact('config', config('10.245.0.0/16', { Type: 'vxlan' })), '10.245.0.0/16'],
    ['another backend', () => via.fact('config', config('10.244.0.0/16', { Type: 'host-gw' })), 'host-gw'],
    [
      'a setting of the backend',
      () => via.fact('config', config('10.244.0.0/16', { Type: 'vxlan', Port: 4789 })),
      '4789',
    ],
    ['a ConfigMap that cannot be read', () => via.fact('config', '{'), 'its network'],
    ['nodes of another network', () => via.fact('nodes', nodes('10.245.1.0/24', 'vxlan')), '10.245.1.0/24'],
    [
      'nodes of another network, and no ConfigMap',
      () => via.fact('config', '').fact('nodes', nodes('10.245.1.0/24', '')),
      '10.245.1.0/24',
    ],
    [
      'nodes with another backend, and no ConfigMap',
      () => via.fact('config', '').fact('nodes', nodes('10.244.1.0/24', 'host-gw')),
      'host-gw',
    ],
  ])('is never rolled through a cluster with %s', async (_, change, named) => {
    change();
    via.fact('hash', 'of that one');
    expect((await applyNetwork.probe(context())).problem).toMatchObject({ code: 'KW363' });
    await expect(carryOut(applyNetwork, context())).rejects.toMatchObject({
      code: 'KW363',
      message: expect.stringContaining(named),
    });
    expect(applied()).toBe(false);
  });

  it.each(['hash', 'config', 'nodes', 'objects'])('is left alone while the API does not tell %s', async (name) => {
    via.fact('hash', 'of another manifest').cannotTell(name);
    await expect(carryOut(applyNetwork, context())).rejects.toMatchObject({ code: 'KW433', transient: true });
    expect(applied()).toBe(false);
  });
});

describe('whose manifest is taken', () => {
  const mixed = clusterOf({ controlPlanes: 3, workers: 0 });
  const living = (machine: string, architectures: [string, string][]): LivingNetwork => ({
    hash: '',
    config: undefined,
    machine,
    nodes: architectures.map(([name, architecture]) => ({ name, architecture, podCidr: '', backend: '' })),
  });

  it('does not depend on which control plane answered first', () => {
    const nodes: [string, string][] = [
      ['cp-3', 'amd64'],
      ['cp-1', 'arm64'],
      ['cp-2', 'amd64'],
    ];
    for (const machine of ['x86_64', 'aarch64'])
      expect(architectureOfNetwork(mixed, living(machine, nodes))).toBe('arm64');
  });

  it('is that of the host that was asked before there is a node', () => {
    expect(architectureOfNetwork(mixed, living('aarch64', []))).toBe('arm64');
    expect(architectureOfNetwork(mixed, living('x86_64', []))).toBe('amd64');
  });
});
