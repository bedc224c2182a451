import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Blob, type Image, json } from './image.js';
import { sortEntries, type TarEntry, tarBytes } from './tar.js';

/** What was written. */
export interface ArchiveFacts {
  /** Hexadecimal, without `sha256:`. */
  sha256: string;
  size: number;
}

/**
 * Writes an image as one tar that every reader knows: an OCI image layout (`ctr -n k8s.io images import` of containerd
 * 1.6 and 2.x takes the name from the annotation `io.containerd.image.name`), with the `manifest.json` of
 * `docker save` in it for Docker (23 and newer, which know zstd). The same image gives the same bytes.
 */
export async function writeArchive(image: Image, path: string): Promise<ArchiveFacts> {
  const hash = createHash('sha256');
  let size = 0;
  const count = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(Readable.from(tarBytes(archiveEntries(image)), { objectMode: false }), count, createWriteStream(path));
  return { sha256: hash.digest('hex'), size };
}

function archiveEntries(image: Image): TarEntry[] {
  const blobs = [image.manifest, image.config, ...image.layers];
  const metadata = {
    'index.json': indexOf(image),
    'manifest.json': dockerManifestOf(image),
    'oci-layout': { imageLayoutVersion: '1.0.0' },
  };
  const entries: TarEntry[] = [
    { path: 'blobs', type: 'directory' },
    { path: 'blobs/sha256', type: 'directory' },
    ...blobs.map((blob): TarEntry => ({ path: blobPath(blob), type: 'file', content: blob })),
    ...Object.entries(metadata).map(([path, value]): TarEntry => ({ path, type: 'file', content: json(value) })),
  ];
  // Two layers may be the same blob.
  return sortEntries([...new Map(entries.map((entry) => [entry.path, entry])).values()]);
}

function blobPath(blob: Blob): string {
  return `blobs/${blob.digest.replace(':', '/')}`;
}

function indexOf(image: Image): unknown {
  const { digest, size } = image.manifest;
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: image.names.map((name) => ({
      mediaType: image.manifestMediaType,
      digest,
      size,
      platform: { architecture: image.architecture, os: 'linux' },
      annotations: {
        'io.containerd.image.name': name,
        'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
      },
    })),
  };
}

function dockerManifestOf(image: Image): unknown {
  return [{ Config: blobPath(image.config), RepoTags: image.names, Layers: image.layers.map(blobPath) }];
}
