import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KubewrightError, messageOf } from '../../errors.js';
import { type Blob, blobOf, type Image } from '../oci/image.js';
import { fileContent } from '../oci/tar.js';
import type { Architecture } from '../recipes.js';
import { type DownloadOptions, download } from './download.js';
import { ORIGIN_HOSTS, type Origins } from './origins.js';

const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

const descriptor = z.object({
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number(),
  platform: z.object({ architecture: z.string(), os: z.string() }).optional(),
});
const indexSchema = z.object({ manifests: z.array(descriptor) });
const manifestSchema = z.object({ config: descriptor, layers: z.array(descriptor) });

type Descriptor = z.infer<typeof descriptor>;

export interface PullOptions extends DownloadOptions {
  origins: Origins;
  architecture: Architecture;
  /** Where blobs are kept; images share them. Must outlive the use of the image. */
  blobs: string;
}

/**
 * Pulls an image by the OCI distribution API. A tag is taken on the registry's word (TLS); from there on everything
 * is named by its digest, and compared with it.
 *
 * @throws KW720 to KW722 as `download`, KW723 when the registry's answer makes no sense, KW724 without this architecture
 */
export async function pullImage(name: string, options: PullOptions): Promise<Image> {
  const { host, repository, tag } = parseName(name);
  const base = `${options.origins[host]}/v2/${repository}`;
  const session: Session = { base, options, headers: await authorize(`${base}/manifests/${tag}`, options) };
  const top = await fetchManifest(session, tag);
  const manifest = INDEX_TYPES.includes(top.mediaType) ? await choosePlatform(session, name, top) : top;
  const { config, layers } = parse(manifestSchema, manifest.bytes, `${base}/manifests`);
  const files = new Map<string, Blob>();
  for (const blob of [config, ...layers]) files.set(blob.digest, await fetchBlob(session, blob));
  const find = ({ digest }: Descriptor): Blob => files.get(digest) as Blob;
  return {
    names: [name],
    architecture: options.architecture,
    manifest: blobOf(manifest.bytes),
    manifestMediaType: manifest.mediaType,
    config: find(config),
    layers: layers.map(find),
  };
}

interface Session {
  /** Address of the repository, without a slash at its end. */
  base: string;
  options: PullOptions;
  headers: Record<string, string>;
}

interface Manifest {
  bytes: Buffer;
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

/** Registries hand out a token for nothing, but want to be asked for it (RFC 6750, as the distribution API uses it). */
async function authorize(url: string, options: PullOptions): Promise<Record<string, string>> {
  const signal = options.signal ? { signal: options.signal } : {};
  const probe = await ask(url, { method: 'HEAD', headers: accept(), ...signal });
  const challenge = probe.headers.get('www-authenticate') ?? '';
  if (probe.status !== 401 || !/^bearer /i.test(challenge)) return {};
  const fields = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
  const { realm, ...query } = fields;
  if (!realm || !URL.canParse(realm)) throw nonsense(url, 'it asks for a token and does not say where to get one');
  const address = new URL(realm);
  for (const [key, value] of Object.entries(query)) address.searchParams.set(key, String(value));
  const answer = await ask(address.href, { ...signal });
  const { token, access_token: other } = (await answer.json().catch(() => ({}))) as Record<string, string>;
  if (!token && !other) throw nonsense(address.href, 'it hands out no token');
  return { Authorization: `Bearer ${token ?? other}` };
}

async function fetchManifest({ base, options, headers }: Session, reference: string): Promise<Manifest> {
  const url = `${base}/manifests/${reference}`;
  const signal = options.signal ? { signal: options.signal } : {};
  const response = await ask(url, { headers: { ...accept(), ...headers }, ...signal });
  if (!response.ok) {
    throw new KubewrightError('KW722', `${url} is not to be had: the registry says ${response.status}.`, {
      hint: 'Is the version right? With a mirror: does it carry this image?',
    });
  }
  const bytes = Buffer.from(await response.arrayBuffer());
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const expected = reference.startsWith('sha256:') ? reference : response.headers.get('docker-content-digest');
  if (expected && expected !== digest) {
    throw new KubewrightError('KW721', `${url} is not what it should be: ${digest}, not ${expected}.`, {
      hint: 'Something between here and there changes downloads (a proxy, a mirror): do not use it.',
    });
  }
  const declared = parseJson(bytes, url) as { mediaType?: string } | null;
  return { bytes, mediaType: declared?.mediaType ?? response.headers.get('content-type')?.split(';')[0] ?? '' };
}

async function choosePlatform(session: Session, name: string, index: Manifest): Promise<Manifest> {
  const { architecture } = session.options;
  const { manifests } = parse(indexSchema, index.bytes, `${session.base}/manifests`);
  const chosen = manifests.find(({ platform }) => platform?.os === 'linux' && platform.architecture === architecture);
  if (chosen) return fetchManifest(session, chosen.digest);
  throw new KubewrightError('KW724', `The image ${name} is not published for linux/${architecture}.`);
}

async function fetchBlob({ base, options, headers }: Session, { digest }: Descriptor): Promise<Blob> {
  await mkdir(options.blobs, { recursive: true });
  const path = join(options.blobs, digest.replace(':', '-'));
  const { signal, backoff } = options;
  const present = await stat(path).catch(() => undefined);
  if (!present) {
    await download(`${base}/blobs/${digest}`, path, digest.slice('sha256:'.length), {
      headers,
      signal,
      ...(backoff ? { backoff } : {}),
    });
  }
  return { digest, ...(await fileContent(path)) };
}

function accept(): Record<string, string> {
  return { Accept: [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ') };
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    const reason = messageOf(cause instanceof Error && cause.cause ? cause.cause : cause);
    throw new KubewrightError('KW720', `${url} was not reached: ${reason}.`, {
      hint: 'Check the network, or name a mirror with --mirror.',
      transient: true,
      cause,
    });
  }
}

function parse<T>(schema: z.ZodType<T>, bytes: Buffer, where: string): T {
  const result = schema.safeParse(parseJson(bytes, where));
  if (result.success) return result.data;
  throw nonsense(where, result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

function parseJson(bytes: Buffer, where: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw nonsense(where, `it is not JSON but begins with ${JSON.stringify(bytes.toString('utf8', 0, 40))}`);
  }
}

function nonsense(url: string, what: string): KubewrightError {
  return new KubewrightError('KW723', `The registry's answer for ${url} makes no sense: ${what}.`, {
    hint: 'Is this a registry? Some proxies answer with a page of their own.',
  });
}
