import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Architecture } from '../recipes.js';
import { sortEntries, type TarContent, type TarEntry, tarBytes } from './tar.js';

/** A content-addressed piece of an image: its bytes are made when they are needed, not kept. */
export interface Blob extends TarContent {
  /** `sha256:` and 64 hexadecimal digits. */
  digest: string;
}

/** What runs, and how, when a container of an image starts without a word about it. */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  User?: string;
  WorkingDir?: string;
}

/** An image ready to be written: its manifest, and all that this names. */
export interface Image {
  names: string[];
  architecture: Architecture;
  manifest: Blob;
  manifestMediaType: string;
  config: Blob;
  layers: Blob[];
}

/** A layer: its digest is that of the compressed bytes. */
export interface Layer extends Blob {
  /** Digest of the uncompressed tar, by which a runtime knows what it unpacked. */
  diffId: string;
}

/**
 * A layer from its entries. Missing parent directories are added. Compressed, because each host is sent its images over
 * SSH, hashes, stores and unpacks them, and all of that costs processor time by the byte; by zstd, because its
 * decompression is nearly free: upload and import took half the processor time that plain tar takes. One thread and the
 * default level: the same entries give the same bytes with the same zstd.
 *
 * @throws Error when zstd is missing or fails
 */
export async function layerOf(entries: TarEntry[]): Promise<Layer> {
  const sorted = sortEntries(withParents(entries));
  const uncompressed = createHash('sha256');
  const chunks: Buffer[] = [];
  const zstd = spawn('zstd', ['--quiet', '--stdout', '--single-thread', '-3'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(zstd, 'close');
  const noted = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of tarBytes(sorted)) {
      uncompressed.update(chunk);
      yield chunk;
    }
  };
  const collected = (async () => {
    for await (const chunk of zstd.stdout) chunks.push(chunk as Buffer);
  })();
  await Promise.all([pipeline(Readable.from(noted(), { objectMode: false }), zstd.stdin), collected]);
  const [code] = await ended;
  if (code !== 0) throw new Error(`zstd ended with ${code}`);
  return { ...blobOf(Buffer.concat(chunks)), diffId: `sha256:${uncompressed.digest('hex')}` };
}

function withParents(entries: TarEntry[]): TarEntry[] {
  const known = new Map<string, TarEntry>();
  for (const entry of entries) {
    const parts = entry.path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const path = parts.slice(0, depth).join('/');
      if (!known.has(path)) known.set(path, { path, type: 'directory' });
    }
    known.set(entry.path, entry);
  }
  return [...known.values()];
}

/** A blob from bytes in memory. */
export function blobOf(bytes: Buffer): Blob {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return {
    digest,
    size: bytes.length,
    bytes: async function* () {
      yield bytes;
    },
  };
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+zstd';

/** Where programs are looked for in images that say nothing else. */
export const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** An image of these layers, the lowest first. The same layers and configuration give the same digest. */
export function imageOf(names: string[], architecture: Architecture, config: ImageConfig, layers: Layer[]): Image {
  const configBlob = blobOf(
    json({
      architecture,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: { Env: [DEFAULT_PATH], ...config },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'kubewright bundle create' })),
    }),
  );
  const manifest = blobOf(
    json({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: CONFIG, digest: configBlob.digest, size: configBlob.size },
      layers: layers.map(({ digest, size }) => ({ mediaType: LAYER, digest, size })),
    }),
  );
  return { names, architecture, manifest, manifestMediaType: MANIFEST, config: configBlob, layers };
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
