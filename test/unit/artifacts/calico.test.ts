import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { resolveOrigins } from '../../../src/artifacts/official/origins.js';
import { file, readBundle } from '../../../src/bundle/bundle.js';
import { OriginServer, sha256 } from './origin-server.js';
import { publishEverything, publishImage } from './published.js';

/** Stand-ins for Calico's manifests, which are not here: all that the maker of bundles reads of them are images. */
const manifest = (tag: string, name: string) =>
  Buffer.from(`apiVersion: apps/v1
kind: DaemonSet
metadata: { name: calico-node, namespace: kube-system }
spec: { template: { spec: { containers: [{ name: a, image: "quay.io/calico/${name}:${tag}" }] } } }
`);
const PATH = '/raw.githubusercontent.com/projectcalico/calico/v3.32.4/manifests';

const server = new OriginServer();
let cache: string;

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kubewright-calico-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', cache);
  await server.start();
  await publishEverything(server, await readFile(join(import.meta.dirname, 'kube-flannel.yml.golden')));
  for (const name of ['node', 'cni']) await publishImage(server, `quay.io/calico/${name}:v3.32.4`);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.stop();
  await rm(cache, { recursive: true, force: true });
});

const create = (networks: 'calico'[], from: 'official' | 'modules' = 'official') =>
  ensureBundle({
    version: '1.34.3',
    arch: 'amd64',
    from,
    loadBalancer: false,
    networks,
    origins: resolveOrigins([server.url], {}),
  });

describe('a bundle with Calico', () => {
  it('is not made of a manifest that asks for images of others', async () => {
    server.files.set(`${PATH}/calico.yaml`, manifest('v3.31.0', 'node'));
    server.files.set(`${PATH}/calico-vxlan.yaml`, manifest('v3.32.4', 'cni'));
    await expect(create(['calico'])).rejects.toMatchObject({
      code: 'KW741',
      message: expect.stringContaining('quay.io/calico/node:v3.31.0'),
    });
  });

  it('has its manifests as they are published, with their sums, and its images for those who run it', async () => {
    server.files.set(`${PATH}/calico.yaml`, manifest('v3.32.4', 'node'));
    const bundle = await readBundle(await create(['calico']));
    expect(bundle.versions.calico).toBe('v3.32.4');
    const found = file(bundle, 'manifests/calico.yaml');
    expect(await readFile(found.absolutePath)).toEqual(manifest('v3.32.4', 'node'));
    expect(found.vouched).toMatchObject({
      url: `${server.url}${PATH}/calico.yaml`,
      sha256: sha256(manifest('v3.32.4', 'node')),
      sumFrom: 'this download',
    });
    const of = bundle.images.filter(({ network }) => network === 'calico').flatMap(({ names }) => names);
    expect(of.sort()).toEqual(['quay.io/calico/cni:v3.32.4', 'quay.io/calico/node:v3.32.4']);
  });

  it('is another one than the bundle without, which stays as it is', async () => {
    const bundle = await readBundle(await create([]));
    expect(bundle.versions.calico).toBeUndefined();
    expect(bundle.images.filter(({ network }) => network !== undefined)).toEqual([]);
  });

  it('cannot be built from modules, which is said at once', async () => {
    await expect(create(['calico'], 'modules')).rejects.toMatchObject({ code: 'KW742' });
  });
});
