import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bundleKey } from '../../../src/artifacts/bundle.js';
import { artifactPath } from '../../../src/artifacts/cache/cache.js';
import { finishBundle, makeFolders } from '../../../src/artifacts/contents.js';
import { runCommand } from '../commands/run.js';

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kubewright-list-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', cache);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

async function makeBundle(path: string, kubernetesVersion = '1.34.3'): Promise<string> {
  await makeFolders(path);
  await writeFile(join(path, 'bin/kubelet'), Buffer.concat([randomBytes(2_600_000), Buffer.alloc(2_000_000)]));
  const versions = { kubernetes: `v${kubernetesVersion}`, containerd: 'v2.3.7', etcd: 'v3.6.5' };
  const facts = { kubernetesVersion, architecture: 'amd64', source: 'official', versions, images: [] } as const;
  await finishBundle(path, { ...facts, images: [] }, new AbortController().signal);
  return path;
}

async function threeBundles(): Promise<{ current: string; outdated: string; damaged: string; cut: string }> {
  const current = await makeBundle(artifactPath(await bundleKey('1.34.3', 'amd64', 'official')));
  const outdated = await makeBundle(join(cache, 'bundles/1.34.2-amd64-official-000000000000'), '1.34.2');
  const damaged = await makeBundle(join(cache, 'bundles/1.34.3-amd64-official-zzz'));
  await truncate(join(damaged, 'bin/kubelet.gz'), 7);
  const cut = await makeBundle(join(cache, 'bundles/1.35.0-amd64-official-000000000000'));
  await truncate(join(cut, 'bundle.json'), 40);
  await mkdir(join(cache, 'bundles/.1.34.3-amd64-modules-aaaaaaaaaaaa.1-1.partial'));
  await mkdir(join(cache, 'bundles/1.34.3-amd64-modules-aaaaaaaaaaaa.lock'));
  await writeFile(join(cache, 'bundles/CACHEDIR.TAG'), '');
  return { current, outdated, damaged, cut };
}

describe('kubewright bundle list', () => {
  it('shows what is there: versions, maker, size, age, and which are not what they should be', async () => {
    const { current, outdated, damaged, cut } = await threeBundles();
    const { code, stdout } = await runCommand(['bundle', 'list']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^KUBERNETES +ARCH +MAKER +STATE +MADE +SIZE +CONTAINERD +ETCD$/);
    const row = (path: string) => lines[lines.indexOf(`  ${path}`) - 1]?.split(/ {2,}/);
    const made = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
    expect(row(current)).toEqual(['1.34.3', 'amd64', 'official', 'current', made, '3 MB', 'v2.3.7', 'v3.6.5']);
    expect(row(outdated)).toEqual(['1.34.2', 'amd64', 'official', 'outdated', made, '3 MB', 'v2.3.7', 'v3.6.5']);
    expect(row(damaged)?.[3]).toBe('damaged');
    expect(lines[lines.indexOf(`  ${damaged}`) + 1]).toMatch(/^ {2}bin\/kubelet\.gz has 7 bytes instead of 26\d{5}$/);
    expect(row(cut)?.slice(0, 4)).toEqual(['-', '-', '-', 'damaged']);
    expect(lines[lines.indexOf(`  ${cut}`) + 1]).toMatch(/bundle\.json is not a bundle's description/);
    expect(lines).toHaveLength(1 + 4 * 2 + 2);
  });

  it('prints objects that docs/json.md describes, also behind the name of the command', async () => {
    const { current, damaged } = await threeBundles();
    const { objects } = await runCommand(['bundle', 'list', '--json']);
    expect(objects.map(({ type }) => type)).toEqual(['bundle', 'bundle', 'bundle', 'bundle', 'end']);
    expect(objects.find(({ path }) => path === current)).toMatchObject({
      state: 'current',
      kubernetes: '1.34.3',
      architecture: 'amd64',
      maker: 'official',
      size: (await stat(join(current, 'bin/kubelet.gz'))).size,
      versions: { containerd: 'v2.3.7' },
    });
    expect(objects.find(({ path }) => path === damaged)).toMatchObject({
      state: 'damaged',
      problem: expect.stringContaining('7 bytes'),
    });
    expect((await runCommand(['--json', 'bundle', 'list'])).objects).toHaveLength(5);
  });

  it('says how to make one where there is none', async () => {
    const { code, stdout } = await runCommand(['bundle', 'list']);
    expect(code).toBe(0);
    expect(stdout).toContain(`There is no bundle in ${cache}. Make one with \`kubewright bundle create`);
    expect(await readdir(cache)).toEqual([]);
  });
});
