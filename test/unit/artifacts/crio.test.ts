import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { programOf } from '../../../lab/artifacts/programs.js';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { listBundles } from '../../../src/artifacts/list.js';
import { resolveOrigins } from '../../../src/artifacts/official/origins.js';
import { bundleOf } from '../../../src/artifacts/official/sigstore.js';
import { filesBelow, readBundle } from '../../../src/bundle/bundle.js';
import { OriginServer, sha256 } from './origin-server.js';
import { archive, publishEverything } from './published.js';
import { SigstoreInstance } from './sigstore-instance.js';

// Debian's archive is no part of this test, nor what unpacks its packages.
vi.mock('../../../src/artifacts/skopeo.js', () => ({
  SKOPEO_REVISION: 1,
  makeSkopeo: async (directory: string) => {
    await mkdir(join(directory, 'skopeo'), { recursive: true });
    for (const name of ['skopeo', 'libc.so.6']) await writeFile(join(directory, 'skopeo', name), name);
    return { skopeo: '1.9.3-0a1b2c3d' };
  },
}));
const machine = vi.hoisted(() => ({ hasApt: true }));
vi.mock('../../../src/artifacts/go/tools.js', async (original) => ({
  ...(await original<object>()),
  isThere: async () => machine.hasApt,
  ensureTools: async () => undefined,
}));

const NAME = 'cri-o.amd64.v1.34.13.tar.gz';
const PATH = `/storage.googleapis.com/cri-o/artifacts/${NAME}`;
const MAKER = {
  subject: 'https://github.com/cri-o/packaging/.github/workflows/obs.yml@refs/heads/main',
  issuer: 'https://token.actions.githubusercontent.com',
};
const manifest = await readFile(join(import.meta.dirname, 'kube-flannel.yml.golden'));
const programs = ['crio', 'pinns', 'conmon', 'conmonrs', 'crun', 'runc', 'crictl'];

let server: OriginServer;
let cache: string;
let content: Buffer;

beforeEach(async () => {
  machine.hasApt = true;
  cache = await mkdtemp(join(tmpdir(), 'kubewright-crio-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', cache);
  server = new OriginServer();
  await server.start();
  await publishEverything(server, manifest);
  content = await archive(Object.fromEntries(programs.map((name) => [`cri-o/bin/${name}`, `${name} of CRI-O`])));
  server.files.set(PATH, content);
  server.files.set(`${PATH}.sha256sum`, Buffer.from(`${sha256(content)}  ${NAME}\n`));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
  await rm(cache, { recursive: true, force: true });
});

const create = (runtimes: 'crio'[], more: object = {}) =>
  ensureBundle({
    version: '1.34.3',
    arch: 'amd64',
    from: 'official',
    loadBalancer: false,
    runtimes,
    origins: resolveOrigins([server.url], {}),
    ...more,
  });

describe('a bundle with CRI-O', () => {
  it('has the programs of its release, the one of the same minor, and skopeo', async () => {
    const bundle = await readBundle(await create(['crio']));
    expect(bundle.versions).toMatchObject({ 'cri-o': 'v1.34.13', skopeo: '1.9.3-0a1b2c3d' });
    const said = async (path: string) => (await execa(await programOf(bundle, path))).stdout;
    for (const name of ['crio', 'pinns', 'conmon', 'crun']) expect(await said(`bin/${name}`)).toBe(`${name} of CRI-O`);
    // Those of containerd, and of every bundle, are their own projects'.
    expect(await said('bin/runc')).toBe('runc for amd64');
    expect(await said('bin/crictl')).toBe('crictl for amd64');
    expect(filesBelow(bundle, 'skopeo').map(({ path, mode }) => [path, mode])).toEqual([
      ['skopeo/libc.so.6', 0o755],
      ['skopeo/skopeo', 0o755],
    ]);
    const vouched = bundle.files.find(({ path }) => path === 'bin/crio')?.vouched;
    expect(vouched).toMatchObject({ url: `${server.url}${PATH}`, sha256: sha256(content) });
    expect(vouched?.signature).toMatchObject({ state: 'unchecked', detail: expect.stringContaining(`${NAME}.bundle`) });
    expect((await listBundles()).map(({ state }) => state)).toEqual(['current']);
  });

  it('is another one than the bundle without', async () => {
    const bundle = await readBundle(await create([]));
    expect(bundle.versions).not.toHaveProperty('cri-o');
    expect(bundle.files.map(({ path }) => path)).not.toContain('bin/crio');
  });

  it('is not made of an archive that is not what its sum says', async () => {
    server.files.set(PATH, Buffer.concat([content, Buffer.from('more')]));
    await expect(create(['crio'])).rejects.toMatchObject({ code: expect.stringMatching(/^KW72/) });
  });

  it.each<[string, object, string]>([
    ['of modules', { from: 'modules' }, 'KW742'],
    ['of a Kubernetes that no CRI-O is known for', { version: '1.38.0' }, 'KW743'],
  ])('cannot be made %s', async (_, more, code) => {
    await expect(create(['crio'], more)).rejects.toMatchObject({ code });
    expect(server.requestsFor(PATH)).toEqual([]);
  });

  it('cannot be made where skopeo cannot be packed, which is told before anything is downloaded', async () => {
    machine.hasApt = false;
    await expect(create(['crio'])).rejects.toMatchObject({ code: 'KW744' });
    expect(server.requestsFor(PATH)).toEqual([]);
  });
});

describe("the signature of CRI-O's archive", () => {
  let keys: string;
  let sigstore: SigstoreInstance;

  beforeEach(async () => {
    keys = await mkdtemp(join(tmpdir(), 'kubewright-crio-keys-'));
    sigstore = await SigstoreInstance.create(keys);
  });
  afterEach(() => rm(keys, { recursive: true, force: true }));

  const sign = async (what: Buffer, who = MAKER): Promise<void> => {
    const bundle = bundleOf({ content: what, ...(await sigstore.sign(what, who)) });
    server.files.set(`${PATH}.bundle`, Buffer.from(JSON.stringify(bundle)));
  };

  it('is checked: it is of the workflow that makes the archive', async () => {
    await sign(content);
    const bundle = await readBundle(await create(['crio'], { keys }));
    const vouched = bundle.files.find(({ path }) => path === 'bin/crun')?.vouched;
    expect(vouched?.signature).toEqual({ state: 'verified', detail: `Sigstore: ${MAKER.subject}, by ${MAKER.issuer}` });
  });

  it.each([
    [
      'by somebody else',
      { ...MAKER, subject: 'https://github.com/other/packaging/.github/workflows/obs.yml@refs/heads/main' },
    ],
    ['by a login elsewhere', { ...MAKER, issuer: 'https://accounts.example' }],
  ])('%s is refused', async (_, who) => {
    await sign(content, who);
    await expect(create(['crio'], { keys })).rejects.toMatchObject({ code: 'KW738' });
  });

  it('of another archive is refused', async () => {
    await sign(Buffer.from('another archive'));
    await expect(create(['crio'], { keys })).rejects.toMatchObject({ code: 'KW738' });
  });
});
