import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NET_BIND_SERVICE } from '../../../src/artifacts/from-modules/images.js';
import { writeArchive } from '../../../src/artifacts/oci/archive.js';
import { type Image, imageOf, layerOf } from '../../../src/artifacts/oci/image.js';
import { fileContent, type TarEntry, tarBytes } from '../../../src/artifacts/oci/tar.js';
import { notRunHere } from '../not-run.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubewright-oci-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function bytesOf(entries: TarEntry[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of tarBytes(entries)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** GNU tar is the reader that has nothing to do with our writer. */
async function listWithTar(bytes: Buffer): Promise<string[]> {
  const { stdout } = await execa('tar', ['--numeric-owner', '--full-time', '-tvf', '-'], {
    input: bytes,
    env: { TZ: 'UTC' },
  });
  return stdout.split('\n').map((line) => line.replace(/\s+/g, ' '));
}

/** A program that may bind low ports without being root, as CoreDNS is packed. */
const BINDS_LOW_PORTS: TarEntry = {
  path: 'coredns',
  type: 'file',
  mode: 0o755,
  content: Buffer.from('x'),
  xattrs: { 'security.capability': NET_BIND_SERVICE },
};

describe('the tar writer', () => {
  it('writes what GNU tar reads: modes, owner root, the epoch, links', async () => {
    const bytes = await bytesOf([
      { path: 'usr', type: 'directory' },
      { path: 'tmp', type: 'directory', mode: 0o1777 },
      { path: 'usr/tool', type: 'file', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
      { path: 'usr/link', type: 'symlink', target: 'tool' },
    ]);
    expect(await listWithTar(bytes)).toEqual([
      'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 usr/',
      'drwxrwxrwt 0/0 0 1970-01-01 00:00:00 tmp/',
      '-rwxr-xr-x 0/0 10 1970-01-01 00:00:00 usr/tool',
      'lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 usr/link -> tool',
    ]);
    expect(bytes.length % 512).toBe(0);
  });

  it('keeps long names, long link targets and names beyond ASCII', async () => {
    const path = `${'directory/'.repeat(20)}datei-mit-umläuten`;
    const target = `../${'elsewhere/'.repeat(15)}end`;
    const bytes = await bytesOf([
      { path, type: 'file', content: Buffer.from('x') },
      { path: 'link', type: 'symlink', target },
    ]);
    const { stdout } = await execa('tar', ['--quoting-style=literal', '-tf', '-'], { input: bytes });
    expect(stdout.split('\n')).toEqual([path, 'link']);
    expect((await listWithTar(bytes))[1]).toContain(`link -> ${target}`);
  });

  it.each([0, 1, 511, 512, 513, 100_000])('keeps a content of %i bytes', async (size) => {
    const content = Buffer.alloc(size, 'abc');
    const path = join(folder, 'file');
    await writeFile(path, content);
    const bytes = await bytesOf([
      { path: 'from-memory', type: 'file', content },
      { path: 'from-disk', type: 'file', content: await fileContent(path) },
    ]);
    for (const name of ['from-memory', 'from-disk']) {
      const { stdout } = await execa('tar', ['-xOf', '-', name], {
        input: bytes,
        encoding: 'buffer',
        stripFinalNewline: false,
      });
      expect(Buffer.from(stdout).equals(content)).toBe(true);
    }
  });

  it('refuses a file that changes while it is packed', async () => {
    const content = {
      size: 10,
      bytes: async function* () {
        yield Buffer.from('short');
      },
    };
    await expect(bytesOf([{ path: 'log', type: 'file', content }])).rejects.toThrow('log changed while it was packed');
  });

  it('writes file capabilities in the way that tar, Docker and containerd know', async () => {
    const bytes = await bytesOf([BINDS_LOW_PORTS]);
    const { stdout } = await execa('tar', ['--xattrs', '--xattrs-include=*', '-tvvf', '-'], { input: bytes });
    expect(stdout).toContain('20 security.capability');
  });

  it('writes a capability that the kernel takes for cap_net_bind_service', async (context) => {
    if (process.getuid?.() !== 0) notRunHere(context, 'only root may give a file a capability');
    const file = join(folder, 'coredns');
    const bytes = await bytesOf([BINDS_LOW_PORTS]);
    const args = ['--xattrs', '--xattrs-include=*', '-xf', '-', '-C', folder];
    const extracted = await execa('tar', args, { input: bytes, reject: false });
    const { stdout, failed } = await execa('getcap', [file], { reject: false });
    if (failed || extracted.failed) notRunHere(context, 'no getcap, or no capabilities on this file system');
    expect(stdout).toBe(`${file} cap_net_bind_service=ep`);
  });
});

describe('an image archive', () => {
  const entries = (text: string): TarEntry[] => [
    { path: 'usr/local/bin/tool', type: 'file', mode: 0o755, content: Buffer.from(text) },
  ];

  async function smallImage(): Promise<Image> {
    const base = await layerOf([{ path: 'etc/passwd', type: 'file', content: Buffer.from('root:x:0:0::/:\n') }]);
    const top = await layerOf(entries('tool'));
    return imageOf(['registry.k8s.io/tool:v1'], 'arm64', { Entrypoint: ['/usr/local/bin/tool'], User: '65532' }, [
      base,
      top,
    ]);
  }

  /** Every blob of an archive, by digest, as another program takes it apart. */
  async function unpack(path: string): Promise<Map<string, Buffer>> {
    await execa('tar', ['-xf', path, '-C', folder]);
    const { stdout } = await execa('tar', ['-tf', path]);
    const files = stdout.split('\n').filter((name) => !name.endsWith('/'));
    return new Map(await Promise.all(files.map(async (name) => [name, await readFile(join(folder, name))] as const)));
  }

  const json = (files: Map<string, Buffer>, name: string) => JSON.parse(files.get(name)?.toString() ?? 'null');
  const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`;

  it('is an OCI layout whose every digest and size is true', async () => {
    const path = join(folder, 'image.tar');
    const facts = await writeArchive(await smallImage(), path);
    expect(facts.size).toBe((await stat(path)).size);
    expect(facts.sha256).toBe(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );

    const files = await unpack(path);
    for (const [name, bytes] of files) {
      if (!name.startsWith('blobs/')) continue;
      expect(name).toBe(`blobs/sha256/${createHash('sha256').update(bytes).digest('hex')}`);
    }
    expect(json(files, 'oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    const [entry] = json(files, 'index.json').manifests;
    expect(entry.annotations['io.containerd.image.name']).toBe('registry.k8s.io/tool:v1');
    expect(entry.platform).toEqual({ architecture: 'arm64', os: 'linux' });
    const manifest = json(files, blobPath(entry.digest));
    expect(entry.size).toBe(files.get(blobPath(entry.digest))?.length);
    for (const blob of [manifest.config, ...manifest.layers]) {
      expect(files.get(blobPath(blob.digest))).toHaveLength(blob.size);
    }
    const config = json(files, blobPath(manifest.config.digest));
    expect(config).toMatchObject({ architecture: 'arm64', os: 'linux', config: { User: '65532' } });
    const unpacked = manifest.layers.map(async ({ digest, mediaType }: { digest: string; mediaType: string }) => {
      expect(mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd');
      const { stdout } = await execa('zstd', ['-dc', join(folder, blobPath(digest))], { encoding: 'buffer' });
      return `sha256:${createHash('sha256').update(stdout).digest('hex')}`;
    });
    expect(config.rootfs.diff_ids).toEqual(await Promise.all(unpacked));
  });

  it('is a `docker save` archive as well', async () => {
    const path = join(folder, 'image.tar');
    await writeArchive(await smallImage(), path);
    const files = await unpack(path);
    const [entry] = json(files, 'manifest.json');
    expect(entry.RepoTags).toEqual(['registry.k8s.io/tool:v1']);
    for (const name of [entry.Config, ...entry.Layers]) expect(files.has(name)).toBe(true);
  });

  it('has the same bytes each time, whatever the order of the entries', async () => {
    const both: TarEntry[] = [...entries('a'), { path: 'etc/hosts', type: 'file', content: Buffer.from('b') }];
    const [one, other] = [await layerOf(both), await layerOf([...both].reverse())];
    expect(other.digest).toBe(one.digest);
    const [first, second] = [join(folder, '1.tar'), join(folder, '2.tar')];
    expect(await writeArchive(await smallImage(), first)).toEqual(await writeArchive(await smallImage(), second));
  });

  it('adds the directories above a file, before it', async () => {
    const layer = await layerOf(entries('a'));
    const chunks: Buffer[] = [];
    for await (const chunk of layer.bytes()) chunks.push(chunk);
    const { stdout } = await execa('tar', ['--zstd', '-tf', '-'], { input: Buffer.concat(chunks) });
    expect(stdout.split('\n')).toEqual(['usr/', 'usr/local/', 'usr/local/bin/', 'usr/local/bin/tool']);
  });

  // The cache knows a bundle by its recipe. When this digest changes, so does every image, and IMAGES_REVISION in
  // src/artifacts/from-modules/images.ts must be raised for hosts to get the new ones.
  it('is what it was when IMAGES_REVISION was last raised', async () => {
    // The configuration names the layers by what they unpack to: no other zstd makes this another digest.
    expect((await smallImage()).config.digest).toBe(
      'sha256:3a786dbb1c1f073b8e9d90beeed4d0e84d35e5c1e218cafe9b602ead91eb8210',
    );
  });
});
