import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { KubewrightError, messageOf } from '../../errors.js';

/** A name and a password, as HTTP's Basic scheme takes them. */
export interface Credential {
  username: string;
  password: string;
}

const dockerConfig = z.object({
  auths: z
    .record(
      z.string(),
      z.object({ auth: z.string().optional(), username: z.string().optional(), password: z.string().optional() }),
    )
    .default({}),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).default({}),
});

/**
 * Credentials of mirrors and registries, by host. They come from the environment (`KUBEWRIGHT_AUTH_HOST_PORT`) and from
 * docker's config.json, never from the command line, where every user of the machine could read them.
 */
export class Credentials {
  private constructor(
    private readonly env: NodeJS.ProcessEnv,
    private readonly auths: ReadonlyMap<string, Credential>,
    /** Hosts that docker's config.json leaves to another program; `*` for all. */
    private readonly elsewhere: ReadonlySet<string>,
  ) {}

  /**
   * @throws KW739 when docker's config.json, or a variable, is there and cannot be used; the error holds none of its content
   */
  static async load(env: NodeJS.ProcessEnv = process.env): Promise<Credentials> {
    const path = join(env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker'), 'config.json');
    const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return '{}';
      throw unusable(path, messageOf(cause));
    });
    const { auths, credsStore, credHelpers } = parseConfig(path, text);
    const known = new Map<string, Credential>();
    for (const [key, entry] of Object.entries(auths)) {
      const credential = decode(entry);
      if (credential === 'damaged') throw unusable(path, `the entry of ${key} is not base64 of NAME:PASSWORD`);
      if (credential) known.set(hostOfKey(key), credential);
    }
    const elsewhere = new Set([...(credsStore ? ['*'] : []), ...Object.keys(credHelpers).map(hostOfKey)]);
    return new Credentials(env, known, elsewhere);
  }

  /** None at all. */
  static none(): Credentials {
    return new Credentials({}, new Map(), new Set());
  }

  /**
   * What is to be shown to this host and port, and to no other.
   *
   * @throws KW739 when the host's variable is not NAME:PASSWORD; KW737 when they would travel unencrypted
   */
  for(url: URL): Credential | undefined {
    const variable = variableFor(url);
    const text = this.env[variable];
    const credential = text ? splitPair(text) : this.auths.get(url.host);
    if (text && !credential) throw unusable(variable, 'it is not NAME:PASSWORD');
    if (credential && url.protocol !== 'https:' && !isLoopback(url)) {
      throw new KubewrightError('KW737', `The credentials of ${url.host} would travel unencrypted.`, {
        hint: `Name the mirror by https (--ca FILE takes a certificate authority of your own), or take ${url.host}'s credentials away.`,
      });
    }
    return credential;
  }

  /** What a person can do about a host that wants credentials: a sentence. */
  adviceFor(url: URL): string {
    const store = this.elsewhere.has('*') || this.elsewhere.has(url.host);
    const aside = store ? " docker's credential store is not read." : '';
    return `Put NAME:PASSWORD into ${variableFor(url)}, or \`docker login ${url.host}\` (its config.json is read).${aside}`;
  }
}

/** `mirror.example:5000` → `KUBEWRIGHT_AUTH_MIRROR_EXAMPLE_5000`. */
export function variableFor(url: URL): string {
  return `KUBEWRIGHT_AUTH_${url.host.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

function parseConfig(path: string, text: string): z.infer<typeof dockerConfig> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // JSON.parse quotes what it read: that may be a password.
    throw unusable(path, 'it is not JSON');
  }
  const result = dockerConfig.safeParse(json);
  if (result.success) return result.data;
  throw unusable(path, result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

function decode({ auth, username, password }: { auth?: string; username?: string; password?: string }) {
  if (!auth) return username && password ? { username, password } : undefined;
  return splitPair(Buffer.from(auth, 'base64').toString('utf8')) ?? ('damaged' as const);
}

function splitPair(text: string): Credential | undefined {
  const [, username, password] = /^([^:]+):(.+)$/s.exec(text.trim()) ?? [];
  return username && password ? { username, password } : undefined;
}

/** Docker writes `host`, `host:port` or `https://host/v1/`. */
function hostOfKey(key: string): string {
  const url = /^https?:\/\//.test(key) ? key : `https://${key}`;
  return URL.canParse(url) ? new URL(url).host : key;
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}

function unusable(what: string, why: string): KubewrightError {
  return new KubewrightError('KW739', `${what} cannot be used: ${why}.`, {
    hint: 'Mend it, or take it away if the mirrors and registries need no credentials.',
  });
}
