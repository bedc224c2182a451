import { createHash } from 'node:crypto';
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

/**
 * A layer from its entries, uncompressed: the archives travel on a local network and are unpacked on every host, where
 * time on the processor is what an installation has least of. Missing parent directories are added.
 */
export async function layerOf(entries: TarEntry[]): Promise<Blob> {
  const sorted = sortEntries(withParents(entries));
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of tarBytes(sorted)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, size, bytes: () => tarBytes(sorted) };
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
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** Where programs are looked for in images that say nothing else. */
export const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** An image of uncompressed layers, the lowest first. The same layers and configuration give the same digest. */
export function imageOf(names: string[], architecture: Architecture, config: ImageConfig, layers: Blob[]): Image {
  const configBlob = blobOf(
    json({
      architecture,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: { Env: [DEFAULT_PATH], ...config },
      // An uncompressed layer's digest is its diff_id.
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
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
