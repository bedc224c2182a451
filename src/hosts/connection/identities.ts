import { readFileSync } from 'node:fs';
import ssh2, { type AuthenticationType, type OpenSSHAgent as OpenSSHAgentType, type ParsedKey } from 'ssh2';
import { messageOf } from '../../errors.js';
import { hostError } from '../errors.js';
import type { Hop } from './target.js';

const { OpenSSHAgent, utils } = ssh2;

export interface AuthMethod {
  type: AuthenticationType;
  username: string;
  key?: ParsedKey;
  agent?: OpenSSHAgentType;
}

/** What will be tried, in this order, and the same in words for the message that says that none was accepted. */
export interface Credentials {
  methods: AuthMethod[];
  tried: string[];
}

/**
 * Reads the key files of a hop and adds the agent. Key files that the user named must be usable; the usual ones below
 * `~/.ssh` are taken where they exist. An encrypted key is left to the agent: nobody is there to type a passphrase.
 *
 * @throws KubewrightError KW211 for an unusable key file, KW212 when there is nothing to authenticate with
 */
export function readCredentials(hop: Hop, host: string): Credentials {
  const credentials: Credentials = { methods: [], tried: [] };
  const passedOver: string[] = [];
  for (const file of hop.identities.files) {
    const found = readKey(file);
    if ('key' in found) {
      credentials.methods.push({ type: 'publickey', username: hop.user, key: found.key });
      credentials.tried.push(`key ${file}`);
    } else if (hop.identities.required && !(found.encrypted && hop.agent !== null)) {
      throw unusable(host, file, found);
    } else {
      passedOver.push(`${file} ${found.problem}`);
    }
  }
  if (hop.agent !== null) {
    const only = hop.identities.only ? publicKeys(hop.identities.files) : undefined;
    credentials.methods.push({ type: 'agent', username: hop.user, agent: new FilteredAgent(hop.agent, only) });
    credentials.tried.push(`the agent at ${hop.agent}`);
  }
  if (credentials.methods.length > 0) return credentials;
  throw hostError('noCredentials', `nothing to log in with: no agent, and ${passedOver.join(', ')}`, {
    host,
    hint: 'Name a key with `ssh.keyFile` in cluster.yaml, or start an agent (`eval $(ssh-agent); ssh-add`).',
  });
}

interface UnusableKey {
  problem: string;
  encrypted: boolean;
}

function readKey(file: string): { key: ParsedKey } | UnusableKey {
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { problem: missing ? 'is not there' : `cannot be read: ${messageOf(error)}`, encrypted: false };
  }
  const parsed = utils.parseKey(text);
  const key: ParsedKey | Error | undefined = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined) return { problem: 'is empty', encrypted: false };
  if (key instanceof Error) {
    const encrypted = /encrypted|passphrase/i.test(key.message);
    return { problem: encrypted ? 'is encrypted' : `holds no private key that can be read`, encrypted };
  }
  return key.isPrivateKey() ? { key } : { problem: 'holds a public key, name the one without .pub', encrypted: false };
}

/** Nobody is there to type a passphrase, so an encrypted key needs an agent that holds it. */
function unusable(host: string, file: string, { problem, encrypted }: UnusableKey): Error {
  return hostError('keyUnusable', `the key file ${file} ${problem}`, {
    host,
    hint: encrypted
      ? `Load it into an agent (\`eval $(ssh-agent); ssh-add ${file}\`) and leave \`ssh.agent\` on.`
      : 'Name an OpenSSH or PEM private key that the worker may read.',
  });
}

/** Public halves of the named identities, for `IdentitiesOnly`. */
function publicKeys(files: string[]): Buffer[] {
  return files.flatMap((file) => {
    try {
      const key = utils.parseKey(readFileSync(`${file}.pub`));
      return key instanceof Error ? [] : [(Array.isArray(key) ? key[0] : key)?.getPublicSSH() ?? []].flat();
    } catch {
      return [];
    }
  });
}

/** The agent, seen through `IdentitiesOnly`: servers count every key offered (MaxAuthTries). */
class FilteredAgent extends OpenSSHAgent {
  readonly #only: Buffer[] | undefined;

  constructor(socket: string, only: Buffer[] | undefined) {
    super(socket);
    this.#only = only;
  }

  override getIdentities(callback: Parameters<OpenSSHAgentType['getIdentities']>[0]): void {
    super.getIdentities((error, keys) => {
      const only = this.#only;
      if (error || keys === undefined || only === undefined) return callback(error, keys);
      callback(
        undefined,
        keys.filter((key) => only.some((wanted) => wanted.equals(blobOf(key)))),
      );
    });
  }
}

type Identity = NonNullable<Parameters<Parameters<OpenSSHAgentType['getIdentities']>[0]>[1]>[number];

function blobOf(identity: Identity): Buffer {
  if (Buffer.isBuffer(identity)) return identity;
  if (typeof identity === 'object' && 'getPublicSSH' in identity) return identity.getPublicSSH();
  return Buffer.alloc(0);
}
