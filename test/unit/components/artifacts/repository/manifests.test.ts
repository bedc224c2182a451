import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { artifactsFor } from '../../../../../src/activities/artifacts.js';
import { unavailableArtifacts } from '../../../../../src/activities/prepare/unavailable-artifacts.js';
import { PREFLIGHT_CODES } from '../../../../../src/cluster/preflight-codes.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { fetchManifest } from '../../../../../src/components/artifacts/repository/manifests.js';
import { FLANNEL_MANIFEST } from '../../../../../src/components/network/published.js';
import { imageQuery } from '../../../../../src/components/registry/work.js';
import { contextAmong, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

const CLUSTER: Cluster = clusterOf(
  { controlPlanes: 1, workers: 1 },
  {
    packages: {
      source: 'repository',
      repository: { url: 'https://pkgs.example.org/v{minor}/{format}/', key: '', ca: null, loginEnv: null },
      proxy: null,
    },
  },
);
const noWayOut = async (): Promise<Response> => Promise.reject(new Error('no way out'));

let folder: string;
let fetches: ReturnType<typeof vi.fn<() => Promise<Response>>>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubewright-manifests-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', folder);
  fetches = vi.fn(noWayOut);
  vi.stubGlobal('fetch', fetches);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true });
});

/** Something that its makers publish; nobody else has its SHA-256. */
function published(text: string) {
  fetches.mockImplementation(async () => new Response(text));
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { path: 'manifests/x.yml', url: 'https://example.org/x.yml', sha256, images: [] };
}

describe('a manifest that its makers publish', () => {
  it('is fetched once and kept', async () => {
    const manifest = published('kept: true\n');
    expect(await fetchManifest(manifest)).toBe('kept: true\n');
    expect(await fetchManifest(manifest)).toBe('kept: true\n');
    expect(fetches).toHaveBeenCalledTimes(1);
    expect(readdirSync(join(folder, 'manifests'))).toEqual([manifest.sha256]);
    expect(readFileSync(join(folder, 'manifests', manifest.sha256), 'utf8')).toBe('kept: true\n');
  });

  it('is had, and fetched once, where the cache cannot be written', async () => {
    writeFileSync(join(folder, 'manifests'), 'a file where the folder would be');
    const manifest = published('kept: false\n');
    expect(await fetchManifest(manifest)).toBe('kept: false\n');
    expect(await fetchManifest(manifest)).toBe('kept: false\n');
    expect(fetches).toHaveBeenCalledTimes(1);
  });

  it('is refused when it is another one', async () => {
    const manifest = { ...published('changed: true\n'), sha256: '0'.repeat(64) };
    await expect(fetchManifest(manifest)).rejects.toMatchObject({ code: 'KW378' });
  });
});

describe('what packages.source: repository has, on a worker that reaches nothing', () => {
  it('names every image without asking anybody; only the manifest itself is missing', async () => {
    const artifacts = await artifactsFor(CLUSTER, 'amd64');
    expect(artifacts.pauseImage()).toBe('registry.k8s.io/pause:3.10.1');
    expect(artifacts.checkImages()).toHaveLength(1);
    const names = artifacts.images('worker', imageQuery(CLUSTER)).flatMap((image) => image.names);
    expect(names).toEqual(expect.arrayContaining([...FLANNEL_MANIFEST.images]));
    expect(fetches).not.toHaveBeenCalled();
    await expect(artifacts.manifest('manifests/kube-flannel.yml')).rejects.toMatchObject({ code: 'KW378' });
  });
});

describe('the preflight on a worker that does not get flannel’s manifest', () => {
  const told = async (facts: Record<string, string>) => {
    const hosts = fakeHosts(CLUSTER);
    for (const [name, text] of Object.entries(facts)) hostIn(hosts, 'cp-1').fact(name, text);
    return await unavailableArtifacts(contextAmong(hosts, CLUSTER, 'checkCluster', null));
  };
  const ready = { ready: 'ok', initialised: '' };

  it('warns where the cluster has flannel', async () => {
    expect(await told({ ...ready, network: 'abc' })).toEqual([
      expect.objectContaining({ code: 'KW378', severity: 'warning' }),
    ]);
  });

  it.each([
    ['there is no cluster', {}],
    ['the cluster has no flannel yet', { ...ready, network: '' }],
    ['the cluster does not say', ready],
  ])('refuses where %s, and says how to overrule it', async (_, facts) => {
    const [problem, ...others] = await told(facts);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'KW378', hint: expect.stringContaining('preflight.ignore') });
    expect(problem?.severity).toBeUndefined();
    expect(PREFLIGHT_CODES.KW378).toEqual({ about: expect.any(String) });
  });
});
