import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bundleKey, findCachedBundle } from '../../../src/artifacts/bundle.js';
import {
  archiveName,
  type BundleFacts,
  finishBundle,
  flannelImages,
  makeFolders,
} from '../../../src/artifacts/contents.js';
import { IMAGES_REVISION } from '../../../src/artifacts/from-modules/images.js';
import { OFFICIAL_REVISION } from '../../../src/artifacts/official/releases.js';
import { bundleRecipes, recipeHash } from '../../../src/artifacts/recipes.js';
import {
  file,
  filesBelow,
  image,
  pauseImage,
  readBundle,
  sizeOnDisk,
  verifyBundle,
} from '../../../src/bundle/bundle.js';
import { findBundle, requireBundle } from '../../../src/bundle/locate.js';
import { sha256 } from './origin-server.js';

let cache: string;
let directory: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kubewright-bundle-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', cache);
  directory = await makeBundle('1.34.3-amd64-modules-aaaaaaaaaaaa');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

/** A small bundle, written by the same code that writes the real ones. */
async function makeBundle(name: string, architecture: 'amd64' | 'arm64' = 'amd64'): Promise<string> {
  const path = join(cache, 'bundles', name);
  await makeFolders(path);
  await writeFile(join(path, 'bin/kubelet'), 'the kubelet');
  await writeFile(join(path, 'cni/bridge'), 'the bridge');
  await writeFile(join(path, 'manifests/pods.yml'), 'some pods');
  await writeFile(join(path, 'images/pause-3.10.1.tar'), 'an archive');
  await finishBundle(path, { ...FACTS, architecture }, new AbortController().signal);
  return path;
}

const FACTS: BundleFacts = {
  kubernetesVersion: '1.34.3',
  architecture: 'amd64',
  source: 'modules',
  versions: { kubernetes: 'v1.34.3' },
  images: [
    {
      file: 'images/pause-3.10.1.tar',
      names: ['registry.k8s.io/pause:3.10.1'],
      neededBy: 'every-node',
      sha256: sha256('an archive'),
      size: 10,
      version: '3.10.1',
    },
  ],
};

async function edit(change: (manifest: Record<string, unknown>) => void): Promise<void> {
  const path = join(directory, 'bundle.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

describe('a bundle', () => {
  it('describes every file as a host gets it, and packed as it lies there', async () => {
    const bundle = await readBundle(directory);
    const lying = async (path: string) => {
      const bytes = await readFile(join(directory, path));
      return { sha256: sha256(bytes), size: bytes.length };
    };
    const [kubelet, bridge] = [await lying('bin/kubelet.gz'), await lying('cni/bridge.gz')];
    expect(bundle.files).toEqual([
      { path: 'bin/kubelet', sha256: sha256('the kubelet'), size: 11, mode: 0o755, packed: kubelet },
      { path: 'cni/bridge', sha256: sha256('the bridge'), size: 10, mode: 0o755, packed: bridge },
      { path: 'manifests/pods.yml', sha256: sha256('some pods'), size: 9, mode: 0o644 },
    ]);
    expect(sizeOnDisk(bundle)).toBe(kubelet.size + bridge.size + 9 + 10);
    expect(file(bundle, 'bin/kubelet').absolutePath).toBe(join(directory, 'bin/kubelet.gz'));
    expect(gunzipSync(await readFile(join(directory, 'bin/kubelet.gz'))).toString()).toBe('the kubelet');
    expect(existsSync(join(directory, 'bin/kubelet'))).toBe(false);
    expect(file(bundle, 'manifests/pods.yml').absolutePath).toBe(join(directory, 'manifests/pods.yml'));
    expect(filesBelow(bundle, 'cni').map(({ path }) => path)).toEqual(['cni/bridge']);
    expect(pauseImage(bundle).names).toEqual(['registry.k8s.io/pause:3.10.1']);
    await verifyBundle(bundle);
  });

  it('of the earlier form, with nothing packed, is read and verified as it was', async () => {
    await rm(join(directory, 'bin/kubelet.gz'));
    await writeFile(join(directory, 'bin/kubelet'), 'the kubelet');
    await edit((manifest) => {
      for (const each of manifest.files as { path: string; packed?: unknown }[])
        if (each.path === 'bin/kubelet') delete each.packed;
    });
    const bundle = await readBundle(directory);
    await verifyBundle(bundle);
    const { absolutePath, packed } = file(bundle, 'bin/kubelet');
    expect({ absolutePath, packed }).toEqual({ absolutePath: join(directory, 'bin/kubelet'), packed: undefined });
    await writeFile(join(directory, 'bin/kubelet'), 'the kubelex');
    await expect(verifyBundle(bundle)).rejects.toMatchObject({ message: expect.stringContaining('bin/kubelet has') });
  });

  it('whose making is interrupted while its programs are packed ends, and is none', async () => {
    const path = join(cache, 'bundles/.unfinished');
    await makeFolders(path);
    const kubelet = join(path, 'bin/kubelet');
    await writeFile(kubelet, randomBytes(30_000_000));
    await writeFile(join(path, 'cni/bridge'), 'the bridge');
    const stop = new AbortController();
    const finishing = finishBundle(path, FACTS, stop.signal).catch((error: unknown) => error);
    await vi.waitFor(() => expect(existsSync(`${kubelet}.gz`)).toBe(true), { interval: 1 });
    stop.abort();
    expect(await finishing).toMatchObject({ code: 'KW703', message: 'Packing kubelet was interrupted.' });
    expect(existsSync(join(path, 'bundle.json'))).toBe(false);
  });

  it('names everything that is damaged, at once', async () => {
    await rm(join(directory, 'bin/kubelet.gz'));
    const bridge = await readFile(join(directory, 'cni/bridge.gz'));
    await writeFile(join(directory, 'cni/bridge.gz'), bridge.fill(0, 12));
    await truncate(join(directory, 'images/pause-3.10.1.tar'), 3);
    await expect(verifyBundle(await readBundle(directory))).rejects.toMatchObject({
      code: 'KW732',
      message:
        `The bundle ${directory} is damaged: bin/kubelet.gz is missing; cni/bridge.gz has other content (SHA-256 differs); ` +
        'images/pause-3.10.1.tar has 3 bytes instead of 10.',
      hint: expect.stringContaining('kubewright bundle create --kubernetes 1.34.3 --arch amd64 --from modules'),
    });
  });

  it('says what it does not have, and how to get it', async () => {
    const bundle = await readBundle(directory);
    const hint = expect.stringContaining('kubewright bundle create --kubernetes 1.34.3 --arch amd64');
    expect(() => file(bundle, 'bin/kubectl')).toThrow(expect.objectContaining({ code: 'KW733', hint }));
    expect(() => image(bundle, 'registry.k8s.io/etcd:')).toThrow(expect.objectContaining({ code: 'KW734', hint }));
  });
});

describe('bundle.json', () => {
  const refusal = (message: RegExp) =>
    expect(readBundle(directory)).rejects.toMatchObject({ code: 'KW731', message: expect.stringMatching(message) });

  it('that is not there', async () => {
    await expect(readBundle(join(cache, 'nowhere'))).rejects.toMatchObject({
      code: 'KW730',
      message: expect.stringContaining(join(cache, 'nowhere')),
      hint: expect.stringContaining('kubewright bundle create'),
    });
  });

  it('that was made again is read again', async () => {
    expect((await readBundle(directory)).versions).toEqual({ kubernetes: 'v1.34.3' });
    await edit((manifest) => {
      manifest.versions = { kubernetes: 'v1.34.3', etcd: '3.6.6-0' };
    });
    expect((await readBundle(directory)).versions).toEqual({ kubernetes: 'v1.34.3', etcd: '3.6.6-0' });
  });

  it('that was cut short after it was read once', async () => {
    await readBundle(directory);
    await truncate(join(directory, 'bundle.json'), 100);
    await refusal(/is not a bundle's description: .*JSON/);
  });

  it('with faults names all of them, by place', async () => {
    await edit((manifest) => {
      manifest.kubernetesVersion = 'latest';
      manifest.architecture = 's390x';
      manifest.files = [{ path: 'bin/kubelet', sha256: 'abc', size: -1, mode: 0o755 }];
    });
    await refusal(/kubernetesVersion: .*architecture: .*files\.0\.sha256: .*files\.0\.size: /);
  });

  it('of another kind or a newer Kubewright', async () => {
    await edit((manifest) => {
      manifest.apiVersion = 'kubewright.dev/v9';
    });
    await refusal(/apiVersion/);
  });

  it('with a key that is not known', async () => {
    await edit((manifest) => {
      manifest.signatures = [];
    });
    await refusal(/signatures/);
  });

  it.each(['/etc/shadow', '../../etc/shadow', 'bin/../../x', './bin/kubelet', 'bin//kubelet', '..', ''])(
    'that leads out of the bundle: %j',
    async (path) => {
      await edit((manifest) => {
        manifest.files = [{ path, sha256: sha256(''), size: 0, mode: 0o644 }];
      });
      await refusal(/files\.0\.path/);
    },
  );
});

describe('finding a bundle', () => {
  it('takes the newest of the version and architecture, whatever made it', async () => {
    await makeBundle('1.34.3-arm64-modules-aaaaaaaaaaaa', 'arm64');
    const newer = await makeBundle('1.34.3-amd64-official-bbbbbbbbbbbb');
    const path = join(newer, 'bundle.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...manifest, createdAt: new Date(Date.now() + 60_000).toISOString() }));
    expect((await findBundle('1.34.3', 'amd64'))?.directory).toBe(newer);
    expect((await findBundle('1.34.3', 'arm64'))?.architecture).toBe('arm64');
    expect(await findBundle('1.34.4', 'amd64')).toBeUndefined();
  });

  it('that is to be made takes none of an earlier form, which still installs', async () => {
    const earlier = [
      ['modules', await recipeHash(bundleRecipes('1.34.3'), `images ${IMAGES_REVISION}`)],
      ['official', await recipeHash([], `official ${OFFICIAL_REVISION}`)],
    ] as const;
    for (const [maker, recipe] of earlier) await makeBundle(`1.34.3-amd64-${maker}-${recipe}`);
    const asked = { version: '1.34.3', arch: 'amd64' } as const;
    for (const [from] of earlier) expect(await findCachedBundle({ ...asked, from })).toBeUndefined();
    expect(await findBundle('1.34.3', 'amd64')).toBeDefined();
    const { version, recipe } = await bundleKey('1.34.3', 'amd64', 'modules');
    const made = await makeBundle(`${version}-${recipe}`);
    expect(await findCachedBundle({ ...asked, from: 'modules' })).toBe(made);
  });

  it('overlooks what is unfinished or damaged', async () => {
    await rm(directory, { recursive: true });
    await mkdir(join(cache, 'bundles/.1.34.3-amd64-modules-aaaaaaaaaaaa.1-1.partial'), { recursive: true });
    await mkdir(join(cache, 'bundles/1.34.3-amd64-modules-aaaaaaaaaaaa.lock'));
    expect(await findBundle('1.34.3', 'amd64')).toBeUndefined();
    await expect(requireBundle(null, '1.34.3', 'amd64')).rejects.toMatchObject({
      code: 'KW730',
      message: 'There is no bundle for Kubernetes 1.34.3 on amd64.',
      hint: expect.stringContaining('kubewright bundle create --kubernetes 1.34.3 --arch amd64'),
    });
  });

  it('names one that is damaged, and what is there instead of the one that is not', async () => {
    await truncate(join(directory, 'bundle.json'), 100);
    await makeBundle('1.34.3-arm64-modules-aaaaaaaaaaaa', 'arm64');
    await expect(requireBundle(null, '1.34.3', 'amd64')).rejects.toMatchObject({
      code: 'KW730',
      message: `There is no whole bundle for Kubernetes 1.34.3 on amd64: ${directory} is damaged.`,
      hint: expect.stringContaining('kubewright bundle list'),
    });
    await expect(requireBundle(null, '1.36.3', 'amd64')).rejects.toMatchObject({
      code: 'KW730',
      hint: expect.stringContaining('What is there: 1.34.3-amd64-modules, 1.34.3-arm64-modules.'),
    });
  });

  it('refuses a bundle of a maker that it does not know', async () => {
    await edit((manifest) => {
      manifest.source = 'somebody';
    });
    await expect(requireBundle(directory, '1.34.3', 'amd64')).rejects.toMatchObject({
      code: 'KW731',
      message: expect.stringMatching(/source: .*official.*modules/),
    });
  });

  it('refuses a bundle that is for something else', async () => {
    await expect(requireBundle(directory, '1.35.0', 'amd64')).rejects.toMatchObject({
      code: 'KW735',
      message: expect.stringContaining('is for Kubernetes 1.34.3, not 1.35.0'),
      hint: expect.stringMatching(/bundle create --kubernetes 1\.35\.0 --arch amd64.*kubernetes\.version: 1\.34\.3/),
    });
    await expect(requireBundle(directory, '1.34.3', 'arm64')).rejects.toMatchObject({
      code: 'KW735',
      message: expect.stringContaining('is for amd64, not arm64'),
      hint: expect.stringContaining('--kubernetes 1.34.3 --arch arm64'),
    });
    expect((await requireBundle(directory, '1.34.3', 'amd64')).directory).toBe(directory);
  });
});

it('names archives after their images', () => {
  expect(archiveName('registry.k8s.io/coredns/coredns:v1.12.1')).toBe('images/coredns-v1.12.1.tar');
});

it('refuses a flannel manifest that asks for images it does not know', () => {
  const pod = (image: string) => `spec: {template: {spec: {containers: [{image: "${image}"}]}}}`;
  expect(() => flannelImages(pod('example.com/flannel:v1'))).toThrow(expect.objectContaining({ code: 'KW713' }));
});
