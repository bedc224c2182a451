import { createHash } from 'node:crypto';
import { z } from 'zod';
import { KubewrightError } from '../../errors.js';
import { type Blob, blobOf, type Image } from '../oci/image.js';
import { fileContent } from '../oci/tar.js';
import type { Meter } from '../progress/meter.js';
import type { Architecture } from '../recipes.js';
import { type Answer, bytesOf, Client, discard, type Question, refused } from './client.js';
import { type DownloadOptions, persist } from './download.js';
import { ORIGIN_HOSTS, type Origins } from './origins.js';
import type { DownloadStore } from './store.js';

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

export interface PullOptions extends Omit<DownloadOptions, 'headers' | 'item'> {
  origins: Origins;
  architecture: Architecture;
}

/** An image that the registry has: what it consists of is known, and nothing of it fetched yet. */
export interface FoundImage {
  name: string;
  /** Address of what the tag leads to. */
  url: string;
  /** Digest of what the tag leads to: of the index where there is one, else of the manifest. */
  digest: string;
  /** What is to be downloaded: its configuration and layers. */
  blobs: Descriptor[];
  /** Tells a meter what will come. */
  announce(store: DownloadStore, meter: Meter): void;
  /** Downloads it. The files in the store must outlive the use of the image. */
  fetch(store: DownloadStore, options?: Pick<DownloadOptions, 'signal'>): Promise<FetchedImage>;
}

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

async function blobAt({ digest }: Descriptor, path: string): Promise<Blob> {
  return { digest, ...(await fileContent(path)) };
}

const hexOf = (digest: string): string => digest.slice('sha256:'.length);

/** Seconds that a token lives where the registry does not say (the distribution API's default). */
const TOKEN_LIFE = 60;

/** Asks one repository. Registries hand out a token, often for nothing, but want to be asked for it (RFC 6750). */
class Session {
  private authorization: { value: string | undefined; until: number } | undefined;
  /** Where the token comes from. */
  private realm: string | undefined;

  /**
   * @param base address of the repository, without a slash at its end
   * @param tag one that is there, to ask whether a token is wanted
   */
  constructor(
    readonly base: string,
    private readonly tag: string,
    readonly options: PullOptions,
  ) {}

  get client(): Client {
    return this.options.client ?? new Client();
  }

  /** The header of a token that is still good. */
  async headers(): Promise<Record<string, string>> {
    if (!this.authorization || Date.now() > this.authorization.until) this.authorization = await this.authorize();
    const { value } = this.authorization;
    return value ? { authorization: value } : {};
  }

  async ask(url: string, question: Question = {}): Promise<Answer> {
    const { signal } = this.options;
    return persist(url, this.options, async () => {
      const answer = await this.client.ask(url, { ...question, signal });
      if (answer.status < 500 && answer.status !== 429) return answer;
      discard(answer);
      throw new Error(`the registry says ${answer.status}`);
    });
  }

  /** Why the registry lets nobody in. Its tokens may come from a host that wants credentials of its own. */
  refusal(url: string, answer: Answer): KubewrightError | undefined {
    const { credentials } = this.client;
    const elsewhere = this.realm && new URL(this.realm).host !== new URL(url).host ? this.realm : undefined;
    return refused(elsewhere && !credentials.for(new URL(elsewhere)) ? elsewhere : url, answer, credentials);
  }

  private async authorize(): Promise<{ value: string | undefined; until: number }> {
    const url = `${this.base}/manifests/${this.tag}`;
    const probe = await this.ask(url, { method: 'HEAD', headers: accept() });
    discard(probe);
    const challenge = probe.headers['www-authenticate'] ?? '';
    if (probe.status !== 401) return { value: undefined, until: Number.POSITIVE_INFINITY };
    if (!/^bearer /i.test(challenge)) throw this.refusal(url, probe) as KubewrightError;
    const fields = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
    );
    const { realm, service } = fields;
    if (!realm || !URL.canParse(realm)) throw nonsense(url, 'it asks for a token and does not say where to get one');
    this.realm = realm;
    const address = new URL(realm);
    const repository = this.base.slice(this.base.indexOf('/v2/') + '/v2/'.length);
    if (service) address.searchParams.set('service', service);
    address.searchParams.set('scope', fields.scope ?? `repository:${repository}:pull`);
    return this.fetchToken(address.href);
  }

  private async fetchToken(address: string): Promise<{ value: string; until: number }> {
    const answer = await this.ask(address);
    const bytes = await bytesOf(answer);
    if (!answer.ok)
      throw this.refusal(address, answer) ?? nonsense(address, `asked for a token it says ${answer.status}`);
    const parsed = tokenSchema.safeParse(safeJson(bytes));
    const token = parsed.success ? (parsed.data.token ?? parsed.data.access_token) : undefined;
    if (!token) throw nonsense(address, 'it hands out no token');
    const life = parsed.data?.expires_in ?? TOKEN_LIFE;
    // Renewed a little early: what is asked just before the end arrives after it.
    return { value: `Bearer ${token}`, until: Date.now() + life * 800 };
  }
}

const tokenSchema = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

function safeJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

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
  const { client, backoff, signal } = session.options;
  return store.fetch(`${session.base}/blobs/${digest}`, hexOf(digest), {
    headers: () => session.headers(),
    signal: own.signal ?? signal,
    backoff,
    ...(client && { client }),
  });
}

function accept(): Record<string, string> {
  return { accept: [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ') };
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
