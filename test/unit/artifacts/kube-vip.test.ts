import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { listBundles } from '../../../src/artifacts/list.js';
import { resolveOrigins } from '../../../src/artifacts/official/origins.js';
import { imagesFor, readBundle } from '../../../src/bundle/bundle.js';
import { writeKubeVip } from '../../../src/components/load-balancer/kube-vip/steps/writeKubeVip.js';
import { contextAmong, fakeHosts, hostIn } from '../activities/fake-hosts.js';
import { kubeVipCluster } from '../components/load-balancer/kube-vip/kube-vip-cluster.js';
import { OriginServer } from './origin-server.js';
import { publishEverything, publishImage } from './published.js';

const IMAGE = 'ghcr.io/kube-vip/kube-vip:v1.2.4';

const server = new OriginServer();
let cache: string;

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kubewright-kube-vip-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', cache);
  await server.start();
  await publishEverything(server, await readFile(join(import.meta.dirname, 'kube-flannel.yml.golden')));
  await publishImage(server, IMAGE);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.stop();
  await rm(cache, { recursive: true, force: true });
});

const create = (balancers: 'kube-vip'[], from: 'official' | 'modules' = 'official') =>
  ensureBundle({
    version: '1.34.3',
    arch: 'amd64',
    from,
    loadBalancer: false,
    balancers,
    origins: resolveOrigins([server.url], {}),
  });

describe('a bundle with kube-vip', () => {
  it('has its image, which control planes take whose load balancer it is, and nobody else', async () => {
    const bundle = await readBundle(await create(['kube-vip']));
    expect(bundle.versions['kube-vip']).toBe('v1.2.4');
    expect(bundle.images.find(({ names }) => names.includes(IMAGE))).toMatchObject({
      neededBy: 'load-balancer',
      vouched: { sumFrom: 'registry', signature: { state: 'none', detail: expect.stringContaining('kube-vip') } },
    });
    const taken = (role: 'control-plane' | 'worker', loadBalancer: string[]) =>
      imagesFor(bundle, role, { holdsMember: true, loadBalancer }).flatMap(({ names }) => names);
    expect(taken('control-plane', ['ghcr.io/kube-vip/kube-vip:'])).toContain(IMAGE);
    expect(taken('control-plane', ['kubewright.dev/load-balancer:'])).not.toContain(IMAGE);
    expect(taken('worker', ['ghcr.io/kube-vip/kube-vip:'])).not.toContain(IMAGE);
  });

  it('is another one than the bundle without, and both count as current', async () => {
    const bundle = await readBundle(await create([]));
    expect(bundle.versions['kube-vip']).toBeUndefined();
    expect(bundle.images.flatMap(({ names }) => names)).not.toContain(IMAGE);
    expect((await listBundles()).map(({ state }) => state)).toEqual(['current', 'current']);
  });

  it('is named with its option where a step finds one without', async () => {
    const named = kubeVipCluster();
    const cluster = { ...named, packages: { ...named.packages, bundle: await create([]) } };
    const hosts = fakeHosts(cluster);
    hostIn(hosts, 'cp-1').answer('uname -m', 'x86_64\n');
    await expect(writeKubeVip.probe(contextAmong(hosts, cluster, 'writeKubeVip', 'cp-1'))).rejects.toMatchObject({
      code: 'KW734',
      hint: expect.stringMatching(/bundle create --kubernetes 1\.34\.3 --arch amd64 --from official --kube-vip`\.$/),
    });
  });

  it('cannot be built from modules, which is said at once', async () => {
    await expect(create(['kube-vip'], 'modules')).rejects.toMatchObject({ code: 'KW742' });
  });
});
