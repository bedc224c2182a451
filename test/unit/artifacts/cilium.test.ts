import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bundleKey, ensureBundle } from '../../../src/artifacts/bundle.js';
import { type TarEntry, tarBytes } from '../../../src/artifacts/oci/tar.js';
import { resolveOrigins } from '../../../src/artifacts/official/origins.js';
import { file, readBundle } from '../../../src/bundle/bundle.js';
import { OriginServer, sha256 } from './origin-server.js';
import { publishEverything, publishImage } from './published.js';

const ENVOY = 'v1.37.5-1786810558-766ccfb3';
const IMAGES = [
  `quay.io/cilium/cilium-envoy:${ENVOY}`,
  'quay.io/cilium/cilium:v1.20.2',
  'quay.io/cilium/operator-generic:v1.20.2',
];

async function archive(files: Record<string, string>): Promise<Buffer> {
  const entries = Object.entries(files).map(([path, content]): TarEntry => {
    return { path, type: 'file', mode: 0o644, content: Buffer.from(content) };
  });
  const chunks: Buffer[] = [];
  for await (const chunk of tarBytes(entries)) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks));
}

/** Stands in for the chart, which is not here: all that the maker of bundles reads of it are the images in its values. */
const chart = (agent: string) =>
  archive({
    'cilium/Chart.yaml': 'name: cilium\nversion: 1.20.2\n',
    'cilium/values.yaml': `image: { repository: ${agent}, tag: v1.20.2, useDigest: true }
operator: { replicas: 2, image: { repository: quay.io/cilium/operator, tag: v1.20.2 } }
envoy: { enabled: ~, image: { repository: quay.io/cilium/cilium-envoy, tag: "${ENVOY}" } }
`,
  });

const server = new OriginServer();
const CHART = '/helm.cilium.io/cilium-1.20.2.tgz';
const HELM = '/get.helm.sh/helm-v4.3.1-linux-amd64.tar.gz';
let cache: string;

async function publishChart(agent: string): Promise<Buffer> {
  const bytes = await chart(agent);
  server.files.set(CHART, bytes);
  const entry = (version: string, digest: string) => `    - { version: ${version}, digest: ${digest} }\n`;
  const index = `apiVersion: v1\nentries:\n  cilium:\n${entry('1.20.3', 'a'.repeat(64))}${entry('1.20.2', sha256(bytes))}`;
  server.files.set('/helm.cilium.io/index.yaml', Buffer.from(index));
  return bytes;
}

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kubewright-cilium-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', cache);
  await server.start();
  await publishEverything(server, await readFile(join(import.meta.dirname, 'kube-flannel.yml.golden')));
  for (const name of IMAGES) await publishImage(server, name);
  const helm = await archive({ 'linux-amd64/helm': 'helm for amd64', 'linux-amd64/LICENSE': 'not wanted' });
  server.files.set(HELM, helm);
  server.files.set(`${HELM}.sha256sum`, Buffer.from(`${sha256(helm)}  helm-v4.3.1-linux-amd64.tar.gz\n`));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.stop();
  await rm(cache, { recursive: true, force: true });
});

const create = (networks: ('calico' | 'cilium')[], from: 'official' | 'modules' = 'official') =>
  ensureBundle({
    version: '1.34.3',
    arch: 'amd64',
    from,
    loadBalancer: false,
    networks,
    origins: resolveOrigins([server.url], {}),
  });

describe('a bundle with Cilium', () => {
  it('is not made of a chart that runs images of others', async () => {
    await publishChart('docker.io/somebody/cilium');
    await expect(create(['cilium'])).rejects.toMatchObject({
      code: 'KW748',
      message: expect.stringContaining('docker.io/somebody/cilium:v1.20.2'),
    });
  });

  it('is not made of a chart whose sum nobody has published, or another one than that', async () => {
    await publishChart('quay.io/cilium/cilium');
    const index = server.files.get('/helm.cilium.io/index.yaml') as Buffer;
    server.files.set('/helm.cilium.io/index.yaml', Buffer.from('entries: { cilium: [] }\n'));
    await expect(create(['cilium'])).rejects.toMatchObject({ code: 'KW748' });
    server.files.set('/helm.cilium.io/index.yaml', index);
    server.files.set(CHART, await chart('quay.io/cilium/other'));
    await expect(create(['cilium'])).rejects.toMatchObject({ code: 'KW721' });
  });

  it('has the chart as it is published, helm, and the images that the chart runs, for those who run it', async () => {
    const bytes = await publishChart('quay.io/cilium/cilium');
    const bundle = await readBundle(await create(['cilium']));
    expect(bundle.versions).toMatchObject({ cilium: 'v1.20.2', helm: 'v4.3.1' });
    const found = file(bundle, 'manifests/cilium.tgz');
    expect(await readFile(found.absolutePath)).toEqual(bytes);
    expect(found.vouched).toMatchObject({
      url: `${server.url}${CHART}`,
      sha256: sha256(bytes),
      sumFrom: `${server.url}/helm.cilium.io/index.yaml`,
    });
    const helm = file(bundle, 'bin/helm');
    expect(helm).toMatchObject({ mode: 0o755, sha256: sha256(Buffer.from('helm for amd64')) });
    expect(helm.vouched).toMatchObject({ url: `${server.url}${HELM}`, sumFrom: `${server.url}${HELM}.sha256sum` });
    const of = bundle.images.filter(({ network }) => network === 'cilium').flatMap(({ names }) => names);
    expect(of.sort()).toEqual(IMAGES);
  });

  it('lies apart from the bundles without', async () => {
    const keys = [[], ['calico'], ['cilium'], ['calico', 'cilium']] as const;
    const recipes = keys.map(async (networks) => (await bundleKey('1.34.3', 'amd64', 'official', { networks })).recipe);
    expect(new Set(await Promise.all(recipes)).size).toBe(keys.length);
  });

  it('cannot be built from modules, which is said at once', async () => {
    await expect(create(['cilium'], 'modules')).rejects.toMatchObject({ code: 'KW742' });
  });
});
