import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import { type Blob, blobOf, type Image } from '../oci/image.js';
import { fileContent } from '../oci/tar.js';
import type { Meter } from '../progress/meter.js';
import { bytesOf } from './client.js';
import { type DownloadOptions, fetchBytes } from './download.js';
import { ORIGIN_HOSTS } from './origins.js';
import { accept, INDEX_TYPES, type PullOptions, parse, parseJson, Session } from './session.js';
import { type KeylessSignature, logEntry } from './sigstore.js';
import type { DownloadStore } from './store.js';

const descriptor = z.object({
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number(),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: z.object({ architecture: z.string(), os: z.string() }).optional(),
});
const indexSchema = z.object({ manifests: z.array(descriptor) });
const manifestSchema = z.object({ config: descriptor, layers: z.array(descriptor) });

type Descriptor = z.infer<typeof descriptor>;

/** An image that the registry has: what it consists of is known, and nothing of it fetched yet. */
export interface FoundImage {
  name: string;
  /** Address of what the tag leads to. */
  url: string;
  /** Digest of what the tag leads to: of the index where there is one, else of the manifest. */
  digest: string;
  /** What is to be downloaded: its configuration and layers. */
  blobs: Descriptor[];
  /** The signatures that lie beside it, as cosign puts them there; undefined where there are none. */
  signatures(): Promise<ImageSignature[] | undefined>;
  /** Tells a meter what will come. */
  announce(store: DownloadStore, meter: Meter): void;
  /** Downloads it. The files in the store must outlive the use of the image. */
  fetch(store: DownloadStore, options?: Pick<DownloadOptions, 'signal'>): Promise<FetchedImage>;
}

/** A signature of an image, over a short text that names the image's digest. */
export type ImageSignature = KeylessSignature & {
  /** Digest of the image that it is for. */
  digest: string;
};

export interface FetchedImage extends Image {
  /** Where each layer lies, in order. */
  layerPaths: string[];
}

/**
 * Finds an image by the OCI distribution API. A tag is taken on the registry's word (TLS); from there on everything
 * is named by its digest, and compared with it.
 *
 * @throws KW720 to KW723 as `download`, KW724 without this architecture, KW736 and KW737 as `Client`
 */
export async function findImage(name: string, options: PullOptions): Promise<FoundImage> {
  const { host, repository, tag } = parseName(name);
  const base = `${options.origins[host]}/v2/${repository}`;
  const session = new Session(base, tag, options);
  const top = await fetchManifest(session, tag);
  const manifest = INDEX_TYPES.includes(top.mediaType) ? await choosePlatform(session, name, top) : top;
  const { config, layers } = parse(manifestSchema, manifest.bytes, `${base}/manifests`);
  const blobs = [config, ...layers];
  return {
    name,
    url: `${base}/manifests/${tag}`,
    digest: top.digest,
    blobs,
    signatures: () => findSignatures(session, top.digest),
    announce(store, meter) {
      for (const { digest, size } of blobs) store.announce(meter, hexOf(digest), size);
    },
    async fetch(store, own = {}) {
      const bring = (blob: Descriptor): Promise<string> => fetchBlob(session, blob, store, own);
      const configBlob = await blobAt(config, await bring(config));
      const layerPaths: string[] = [];
      for (const layer of layers) layerPaths.push(await bring(layer));
      return {
        names: [name],
        architecture: options.architecture,
        manifest: blobOf(manifest.bytes),
        manifestMediaType: manifest.mediaType,
        config: configBlob,
        layers: await Promise.all(layers.map((layer, at) => blobAt(layer, layerPaths[at] as string))),
        layerPaths,
      };
    },
  };
}

/** What cosign writes beside a signature (its specification of signatures in registries). */
const NOTES = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  bundle: 'dev.sigstore.cosign/bundle',
};

const promise = z.object({ SignedEntryTimestamp: z.string(), Payload: logEntry.omit({ signedEntryTimestamp: true }) });
const simpleSigning = z.object({
  critical: z.object({ image: z.object({ 'docker-manifest-digest': z.string() }) }),
});

async function findSignatures(session: Session, digest: string): Promise<ImageSignature[] | undefined> {
  const tag = `${digest.replace(':', '-')}.sig`;
  const manifest = await fetchManifest(session, tag).catch((error) => {
    if (isKubewrightError(error) && error.code === 'KW722') return undefined;
    throw error;
  });
  if (!manifest) return undefined;
  const where = `${session.base}/manifests/${tag}`;
  const { layers } = parse(manifestSchema, manifest.bytes, where);
  const found: ImageSignature[] = [];
  for (const { digest: layer, annotations = {} } of layers) {
    const [signature, certificate, bundle] = [NOTES.signature, NOTES.certificate, NOTES.bundle].map(
      (at) => annotations[at],
    );
    // Signatures by a key of somebody's own have neither certificate nor log entry: mirrors add such ones.
    if (!signature || !certificate || !bundle) continue;
    const { SignedEntryTimestamp: signedEntryTimestamp, Payload } = parse(promise, Buffer.from(bundle), where);
    const content = await fetchBytes(`${session.base}/blobs/${layer}`, session.downloadOptions());
    const text = parse(simpleSigning, content, where);
    const entry = { ...Payload, signedEntryTimestamp };
    found.push({ content, signature, certificate, entry, digest: text.critical.image['docker-manifest-digest'] });
  }
  return found;
}

async function blobAt({ digest }: Descriptor, path: string): Promise<Blob> {
  return { digest, ...(await fileContent(path)) };
}

const hexOf = (digest: string): string => digest.slice('sha256:'.length);

interface Manifest {
  bytes: Buffer;
  digest: string;
  mediaType: string;
}

function parseName(name: string): { host: (typeof ORIGIN_HOSTS)[number]; repository: string; tag: string } {
  const [, host, repository, tag] = /^([^/]+)\/([a-z0-9._/-]+):([\w.-]+)$/.exec(name) ?? [];
  const known = ORIGIN_HOSTS.find((origin) => origin === host);
  if (known && repository && tag) return { host: known, repository, tag };
  throw new KubewrightError('KW723', `The image ${name} is not from a registry that is known here.`, {
    hint: `Registries known: ${ORIGIN_HOSTS.filter((origin) => origin.includes('.io') && origin !== 'dl.k8s.io').join(', ')}.`,
  });
}

async function fetchManifest(session: Session, reference: string): Promise<Manifest> {
  const url = `${session.base}/manifests/${reference}`;
  const response = await session.ask(url, { headers: { ...accept(), ...(await session.headers()) } });
  const bytes = await bytesOf(response);
  if (!response.ok) {
    const refusal = session.refusal(url, response);
    if (refusal) throw refusal;
    throw new KubewrightError('KW722', `${url} is not to be had: the registry says ${response.status}.`, {
      hint: 'Is the version right? With a mirror: does it carry this image?',
    });
  }
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const told = response.headers['docker-content-digest'];
  const expected = reference.startsWith('sha256:') ? reference : told;
  if (expected && expected !== digest) {
    throw new KubewrightError('KW721', `${url} is not what it should be: ${digest}, not ${expected}.`, {
      hint: 'Something between here and there changes downloads (a proxy, a mirror): do not use it.',
    });
  }
  const declared = parseJson(bytes, url) as { mediaType?: string } | null;
  return { bytes, digest, mediaType: declared?.mediaType ?? response.headers['content-type']?.split(';')[0] ?? '' };
}

async function choosePlatform(session: Session, name: string, index: Manifest): Promise<Manifest> {
  const { architecture } = session.options;
  const { manifests } = parse(indexSchema, index.bytes, `${session.base}/manifests`);
  const chosen = manifests.find(({ platform }) => platform?.os === 'linux' && platform.architecture === architecture);
  if (chosen) return fetchManifest(session, chosen.digest);
  throw new KubewrightError('KW724', `The image ${name} is not published for linux/${architecture}.`);
}

async function fetchBlob(
  session: Session,
  { digest }: Descriptor,
  store: DownloadStore,
  own: Pick<DownloadOptions, 'signal'>,
): Promise<string> {
  const options = session.downloadOptions();
  return store.fetch(`${session.base}/blobs/${digest}`, hexOf(digest), {
    ...options,
    signal: own.signal ?? options.signal,
  });
}
