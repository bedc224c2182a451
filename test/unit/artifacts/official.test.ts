import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { programOf } from '../../../lab/artifacts/programs.js';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { resolveOrigins } from '../../../src/artifacts/official/origins.js';
import { chooseSource } from '../../../src/artifacts/source.js';
import {
  type Bundle,
  checkImages,
  file,
  imagesFor,
  missingImages,
  readBundle,
  verifyBundle,
} from '../../../src/bundle/bundle.js';
import { breakOffAfter, OriginServer, sha256 } from './origin-server.js';
import { KUBEADM_IMAGES, publishEverything } from './published.js';

const manifest = await readFile(fileURLToPath(new URL('./kube-flannel.yml.golden', import.meta.url)));
const published = new OriginServer();
await publishEverything(published, manifest);
let server: OriginServer;
let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kubewright-official-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', cache);
  server = new OriginServer();
  await server.start();
  for (const [path, bytes] of published.files) server.files.set(path, bytes);
  for (const [path, type] of published.types) server.types.set(path, type);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
  await rm(cache, { recursive: true, force: true });
});

const origins = () => resolveOrigins([server.url], {});
const create = (arch: 'amd64' | 'arm64' = 'amd64', from: 'official' | undefined = 'official') =>
  ensureBundle({ version: '1.34.3', arch, from, loadBalancer: false, origins: origins() });

/** What a program of the bundle prints: each stand-in says what it stands for. */
const said = async (bundle: Bundle, path: string) => (await execa(await programOf(bundle, path))).stdout;

async function nothingIsLeft(): Promise<void> {
  expect((await readdir(join(cache, 'bundles'))).filter((name) => name !== 'CACHEDIR.TAG')).toEqual([]);
  expect((await readdir(join(cache, 'scratch'))).filter((name) => name !== 'CACHEDIR.TAG')).toEqual([]);
}

describe('a bundle of published releases', () => {
  it('has everything, and all of it is what was published', async () => {
    const bundle = await readBundle(await create());
    await verifyBundle(bundle);
    expect(bundle).toMatchObject({ kubernetesVersion: '1.34.3', architecture: 'amd64', source: 'official' });
    expect(missingImages(bundle, KUBEADM_IMAGES)).toEqual([]);
    for (const name of ['kubeadm', 'kubelet', 'kubectl', 'crictl', 'etcd', 'etcdctl', 'etcdutl']) {
      expect(file(bundle, `bin/${name}`).mode).toBe(0o755);
    }
    expect(await said(bundle, 'bin/kubelet')).toBe('kubelet for amd64');
    expect(await said(bundle, 'cni/bridge')).toBe('bridge for amd64');
    expect(await said(bundle, 'cni/flannel')).toBe('plugin for amd64');
    expect(await readFile(file(bundle, 'manifests/kube-flannel.yml').absolutePath)).toEqual(manifest);
    expect(existsSync(join(bundle.directory, 'cni/vlan.gz'))).toBe(false);
    expect(await said(bundle, 'bin/containerd')).toBe('containerd for amd64');
    expect(await said(bundle, 'bin/runc')).toBe('runc for amd64');
    expect(existsSync(join(bundle.directory, 'bin/containerd-stress.gz'))).toBe(false);
    expect(bundle.versions).toMatchObject({ containerd: 'v2.3.7', runc: 'v1.5.2' });
    expect(bundle.versions).toMatchObject({ kubernetes: 'v1.34.3', etcd: 'v3.6.5', 'flannel-cni': 'v1.9.1-flannel1' });
  });

  it('holds its programs packed, and nothing else of them', async () => {
    const bundle = await readBundle(await create());
    const programs = bundle.files.filter(({ path }) => !path.startsWith('manifests/'));
    expect(programs.length).toBeGreaterThan(15);
    for (const { path, sha256: sum, size } of programs) {
      const whole = { encoding: 'buffer', stripFinalNewline: false } as const;
      const { stdout } = await execa('gzip', ['-dc', join(bundle.directory, `${path}.gz`)], whole);
      expect({ path, sum: sha256(Buffer.from(stdout)), size: stdout.length }).toEqual({ path, sum, size });
    }
    const lying = await readdir(bundle.directory, { recursive: true });
    const expected = programs.map(({ path }) => `${path}.gz`).sort();
    expect(lying.filter((path) => /^(bin|cni)\//.test(path)).sort()).toEqual(expected);
  });

  it('knows who needs which image', async () => {
    const bundle = await readBundle(await create());
    const tags = (images: { names: string[] }[]) => images.map(({ names }) => names[0]?.split('/').at(-1)).sort();
    const everywhere = [
      'coredns:v1.12.1',
      'flannel-cni-plugin:v1.9.1-flannel1',
      'flannel:v0.28.4',
      'kube-proxy:v1.34.3',
      'pause:3.10.1',
    ];
    const controlPlane = ['kube-apiserver:v1.34.3', 'kube-controller-manager:v1.34.3', 'kube-scheduler:v1.34.3'];
    const stacked = { holdsMember: true, loadBalancer: [] };
    const external = { holdsMember: false, loadBalancer: [] };
    expect(tags(imagesFor(bundle, 'worker', stacked))).toEqual(everywhere);
    expect(tags(imagesFor(bundle, 'control-plane', stacked))).toEqual(
      [...everywhere, ...controlPlane, 'etcd:3.6.5-0'].sort(),
    );
    expect(tags(imagesFor(bundle, 'control-plane', external))).toEqual([...everywhere, ...controlPlane].sort());
    expect(tags(imagesFor(bundle, 'etcd', external))).toEqual(['etcd:3.6.5-0', 'pause:3.10.1']);
    expect(tags(checkImages(bundle))).toEqual(['agnhost:2.56']);
  });

  it('writes archives that hold the image of the architecture asked for, blob by blob', async () => {
    const bundle = await readBundle(await create('arm64'));
    const archive = join(bundle.directory, 'images/kube-proxy-v1.34.3.tar');
    const index = JSON.parse((await execa('tar', ['-xOf', archive, 'index.json'])).stdout);
    const [entry] = index.manifests;
    expect(entry.annotations['io.containerd.image.name']).toBe('registry.k8s.io/kube-proxy:v1.34.3');
    expect(entry.platform.architecture).toBe('arm64');
    const blob = (digest: string) => execa('tar', ['-xOf', archive, `blobs/${digest.replace(':', '/')}`]);
    const { config } = JSON.parse((await blob(entry.digest)).stdout);
    expect(JSON.parse((await blob(config.digest)).stdout)).toMatchObject({ architecture: 'arm64' });
    expect(await said(bundle, 'bin/kubelet')).toBe('kubelet for arm64');
  });

  it('is made once', async () => {
    const first = await create();
    const requests = server.seen.length;
    expect(await create()).toBe(first);
    expect(await create('amd64', undefined)).toBe(first);
    expect(server.seen).toHaveLength(requests);
  });

  it('gets the token that a registry asks for, and shows it to nobody else', async () => {
    server.tokenFor = '/ghcr.io/v2/';
    await verifyBundle(await readBundle(await create()));
    const authorized = server.seen.filter(({ headers }) => headers.authorization !== undefined);
    expect(authorized.length).toBeGreaterThan(0);
    for (const { path } of authorized) expect(path).toMatch(/^\/ghcr\.io\/v2\//);
  });

  it('asks for a new token when one has run out', async () => {
    server.tokenFor = '/ghcr.io/v2/';
    server.tokenLife = 0;
    await verifyBundle(await readBundle(await create()));
    expect(server.requestsFor('/token').length).toBeGreaterThan(4);
  });

  it('says of each file and image where it came from and who knows its sum', async () => {
    const bundle = await readBundle(await create());
    const kubelet = `${server.url}/dl.k8s.io/release/v1.34.3/bin/linux/amd64/kubelet`;
    const { sha256: sum } = file(bundle, 'bin/kubelet');
    expect(file(bundle, 'bin/kubelet').vouched).toMatchObject({
      url: kubelet,
      sha256: sum,
      sumFrom: `${kubelet}.sha256`,
    });
    expect(file(bundle, 'bin/etcdctl').vouched?.sumFrom).toMatch(/etcd-io\/etcd\/.*SHA256SUMS$/);
    expect(file(bundle, 'manifests/kube-flannel.yml').vouched?.sumFrom).toBe('pinned');
    for (const { path, vouched } of bundle.files) expect(vouched, path).toBeDefined();
    for (const { names, vouched } of bundle.images) {
      expect(vouched?.sumFrom, names[0]).toBe('registry');
      const [, host, repository, tag] = /^([^/]+)\/(.+):(.+)$/.exec(names[0] ?? '') ?? [];
      const index = server.files.get(`/${host}/v2/${repository}/manifests/${tag}`);
      expect(vouched?.sha256).toBe(sha256(index ?? ''));
    }
  });

  it('goes on with a blob where the connection broke off', async () => {
    const path = [...server.files.keys()].find((name) => name.includes('kube-scheduler/blobs/')) ?? '';
    let broken = false;
    server.intervene(path, (...args) => {
      if (broken) return false;
      broken = true;
      return breakOffAfter(900_000)(...args);
    });
    await verifyBundle(await readBundle(await create()));
    const ranges = server.requestsFor(path).map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  });
});

describe('what the origins do wrong', () => {
  const KUBELET = '/dl.k8s.io/release/v1.34.3/bin/linux/amd64/kubelet';

  it.each([
    ['a program is not the one that the checksum is of', KUBELET, 'KW721'],
    [
      'an archive is damaged',
      '/github.com/etcd-io/etcd/releases/download/v3.6.5/etcd-v3.6.5-linux-amd64.tar.gz',
      'KW721',
    ],
    [
      'a manifest is another one',
      '/raw.githubusercontent.com/flannel-io/flannel/v0.28.4/Documentation/kube-flannel.yml',
      'KW721',
    ],
  ])('%s', async (_, path, code) => {
    server.files.set(path, Buffer.from('something else'));
    await expect(create()).rejects.toMatchObject({ code, message: expect.stringContaining(path) });
    await nothingIsLeft();
  });

  it('a layer of an image is damaged', async () => {
    const path = [...server.files.keys()].find((name) => name.includes('/pause/blobs/')) ?? '';
    server.files.set(path, Buffer.from('something else'));
    await expect(create()).rejects.toMatchObject({ code: 'KW721' });
    await nothingIsLeft();
  });

  it('a manifest is not what its digest says', async () => {
    const path = [...server.files.keys()].find((name) => name.includes('/pause/manifests/sha256:')) ?? '';
    server.files.set(path, Buffer.from('{"config":{},"layers":[]}'));
    await expect(create()).rejects.toMatchObject({ code: 'KW721' });
    await nothingIsLeft();
  });

  it('a checksum is missing: nothing is used without', async () => {
    server.files.delete(`${KUBELET}.sha256`);
    await expect(create()).rejects.toMatchObject({ code: 'KW722', message: expect.stringContaining('kubelet.sha256') });
    server.files.set(`${KUBELET}.sha256`, Buffer.from('<html>please log in</html>'));
    await expect(create()).rejects.toMatchObject({ code: 'KW723', message: expect.stringContaining('a web page') });
    server.files.set(`${KUBELET}.sha256`, Buffer.from('not found\n'));
    await expect(create()).rejects.toMatchObject({ code: 'KW721', message: expect.stringContaining('no SHA-256') });
    await nothingIsLeft();
  });

  it('there is no such version', async () => {
    const attempt = ensureBundle({
      version: '1.99.0',
      arch: 'amd64',
      from: 'official',
      loadBalancer: false,
      origins: origins(),
    });
    await expect(attempt).rejects.toMatchObject({ code: 'KW722', message: expect.stringMatching(/v1\.99\.0.*404/) });
  });

  it('an image is missing', async () => {
    server.files.delete('/registry.k8s.io/v2/pause/manifests/3.10.1');
    await expect(create()).rejects.toMatchObject({
      code: 'KW722',
      message: expect.stringContaining('pause/manifests/3.10.1'),
    });
    await nothingIsLeft();
  });

  it('an image is not there for the architecture', async () => {
    const path = '/registry.k8s.io/v2/etcd/manifests/3.6.5-0';
    const index = JSON.parse(server.files.get(path)?.toString() ?? '');
    const manifests = index.manifests.filter(
      (entry: { platform: { architecture: string } }) => entry.platform.architecture !== 'arm64',
    );
    server.files.set(path, Buffer.from(JSON.stringify({ ...index, manifests })));
    await expect(create('arm64')).rejects.toMatchObject({
      code: 'KW724',
      message: expect.stringContaining('linux/arm64'),
    });
  });

  it.each(['by its type', 'by how it begins'])('a mirror answers with a page instead of a program: %s', async (how) => {
    server.files.set(KUBELET, Buffer.from('\n<!DOCTYPE html><title>Log in</title>'));
    if (how === 'by its type') server.types.set(KUBELET, 'text/html; charset=utf-8');
    await expect(create()).rejects.toMatchObject({
      code: 'KW723',
      message: `${new URL(server.url).host} answers with a web page instead of ${server.url}${KUBELET}.`,
    });
    await nothingIsLeft();
  });

  it('a proxy answers with a page of its own', async () => {
    server.files.set('/registry.k8s.io/v2/pause/manifests/3.10.1', Buffer.from('<html>'));
    server.types.delete('/registry.k8s.io/v2/pause/manifests/3.10.1');
    await expect(create()).rejects.toMatchObject({ code: 'KW723' });
  });
});

describe('the choice between official and modules', () => {
  const lines: string[] = [];
  const ask = (version: string, mirror = server.url) =>
    chooseSource({ version, arch: 'amd64', origins: resolveOrigins([mirror], {}), log: (line) => lines.push(line) });
  beforeEach(() => {
    lines.length = 0;
  });

  it('is official where the releases answer, and says so', async () => {
    expect(await ask('1.34.3')).toBe('official');
    expect(lines).toEqual([expect.stringMatching(/answers: downloading the official releases/)]);
  });

  it('is modules where they do not, and says so', async () => {
    await server.stop();
    expect(await ask('1.34.3')).toBe('modules');
    expect(lines).toEqual([expect.stringMatching(/does not answer: building Kubernetes 1\.34\.3 from Go modules/)]);
  });

  it('does not take a page for a release', async () => {
    server.types.set('/dl.k8s.io/release/v1.34.3/bin/linux/amd64/kubeadm.sha256', 'text/html');
    expect(await ask('1.34.3')).toBe('modules');
    expect(lines).toEqual([expect.stringMatching(/answers with a web page: building/)]);
  });

  it('is a clear sentence where neither is possible', async () => {
    await expect(ask('1.99.0')).rejects.toMatchObject({
      code: 'KW727',
      message: expect.stringMatching(
        /says 404 for this version, and only 1\.34\.3, 1\.35\.4, 1\.36\.3, 1\.37\.2 can be built/,
      ),
    });
    vi.stubEnv('PATH', '/nowhere');
    await server.stop();
    await expect(ask('1.34.3')).rejects.toMatchObject({
      message: expect.stringMatching(/does not answer, and Go .* not installed/),
    });
  });
});

describe('mirrors', () => {
  it('stand for one origin or for all', () => {
    const one = resolveOrigins(['ghcr.io=http://mirror:5000/'], {});
    expect(one['ghcr.io']).toBe('http://mirror:5000');
    expect(one['dl.k8s.io']).toBe('https://dl.k8s.io');
    const all = resolveOrigins(['https://mirror/k8s'], {
      KUBEWRIGHT_MIRRORS: 'https://elsewhere,github.com=https://git',
    });
    expect(all['github.com']).toBe('https://mirror/k8s/github.com');
    expect(resolveOrigins([], { KUBEWRIGHT_MIRRORS: 'github.com=https://git, ghcr.io=https://g' })).toMatchObject({
      'github.com': 'https://git',
      'ghcr.io': 'https://g',
    });
  });

  it('show no password in what is refused', () => {
    for (const mirror of ['https://me:s3cret@mirror', 'ghcr.io=https://me:s3cret@mirror', 'me:s3cret@mirror']) {
      const refusal = expect.objectContaining({ code: 'KW725', message: expect.not.stringContaining('s3cret') });
      expect(() => resolveOrigins([mirror], {})).toThrow(refusal);
    }
  });

  it.each(['nonsense', 'ftp://mirror', 'example.com=https://mirror', 'ghcr.io=', '='])('%s is refused', (mirror) => {
    expect(() => resolveOrigins([mirror], {})).toThrow(expect.objectContaining({ code: 'KW725' }));
  });
});
