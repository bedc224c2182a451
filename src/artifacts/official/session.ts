import { z } from 'zod';
import { KubewrightError } from '../../errors.js';
import type { Architecture } from '../recipes.js';
import { type Answer, bytesOf, Client, discard, type Question, refused } from './client.js';
import { type DownloadOptions, persist } from './download.js';
import type { Origins } from './origins.js';

export const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

export interface PullOptions extends Omit<DownloadOptions, 'headers' | 'item'> {
  origins: Origins;
  architecture: Architecture;
}

/** Seconds that a token lives where the registry does not say (the distribution API's default). */
const TOKEN_LIFE = 60;

/** Asks one repository. Registries hand out a token, often for nothing, but want to be asked for it (RFC 6750). */
export class Session {
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

  downloadOptions(): DownloadOptions {
    const { client, backoff, signal } = this.options;
    return { headers: () => this.headers(), signal, backoff, ...(client && { client }) };
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

export function accept(): Record<string, string> {
  return { accept: [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ') };
}

export function parse<T>(schema: z.ZodType<T>, bytes: Buffer, where: string): T {
  const result = schema.safeParse(parseJson(bytes, where));
  if (result.success) return result.data;
  throw nonsense(where, result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

export function parseJson(bytes: Buffer, where: string): unknown {
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
