import { appendFileSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { type KubewrightError, messageOf } from '../../errors.js';
import { hostError } from '../errors.js';
import type { Hop } from './hop.js';
import {
  fingerprint,
  judge,
  type KnownHostEntry,
  keyTypeOf,
  knownKeyTypes,
  lookupName,
  type Verdict,
} from './known-hosts.js';
import { entriesFor } from './known-hosts-files.js';

/** ssh2's host-key algorithms, in its own order of preference. */
const ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
];

/** Strict host-key checking for one hop: what to ask the server for, and whether to believe what it shows. */
export class HostKeyCheck {
  readonly #hop: Hop;
  readonly #host: string;
  /** Those that speak of this host. */
  readonly #entries: KnownHostEntry[];
  readonly #name: string;
  #refusal: KubewrightError | undefined;
  #unrecorded: Buffer | undefined;

  /**
   * Looks into the user's known_hosts files and the system's as they are now: what a person just mended counts.
   * @throws KubewrightError KW223 or KW224 when a file cannot be read or understood: that fails closed
   */
  constructor(hop: Hop, host: string) {
    this.#hop = hop;
    this.#host = host;
    this.#name = nameOf(hop);
    this.#entries = entriesOf(hop, host);
  }

  /**
   * Types on file first: otherwise the two sides may agree on a type that is not listed, and a known host would look
   * like a changed one.
   */
  get algorithms(): ServerHostKeyAlgorithm[] {
    const types = new Set(knownKeyTypes(this.#entries, this.#name));
    const isListed = (name: ServerHostKeyAlgorithm): boolean => types.has(name.startsWith('rsa-') ? 'ssh-rsa' : name);
    return [...ALGORITHMS.filter(isListed), ...ALGORITHMS.filter((name) => !isListed(name))];
  }

  /** For ssh2's `hostVerifier`. It runs before the server has proved that it holds the key, so nothing is recorded yet. */
  verify(key: Buffer): boolean {
    const verdict = this.#judge(key);
    if (verdict.kind === 'trusted') return true;
    if (verdict.kind === 'unknown' && this.#hop.hostKeys === 'accept-new') {
      this.#unrecorded = key;
      return true;
    }
    this.#refusal = this.#refuse(verdict, key);
    return false;
  }

  /** Why `verify` said no. */
  get refusal(): KubewrightError | undefined {
    return this.#refusal;
  }

  /**
   * After the handshake, when the key is proven: with `accept-new`, appends a new host's key in one write.
   * @throws KubewrightError KW226 when the file cannot be written
   */
  recordProvenKey(): void {
    if (this.#unrecorded === undefined) return;
    const file = recordFile(this.#hop);
    if (file === undefined) throw this.#cannotRemember();
    const line = `${this.#name} ${keyTypeOf(this.#unrecorded)} ${this.#unrecorded.toString('base64')}\n`;
    try {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      appendFileSync(file, (endsInsideALine(file) ? '\n' : '') + line, { mode: 0o600 });
    } catch (error) {
      throw hostError('knownHostsNotWritable', `cannot add the new host's key to ${file}: ${messageOf(error)}`, {
        host: this.#host,
        hint: 'Let the worker write that file, or add the key yourself.',
        cause: error,
      });
    }
  }

  /** Without a memory every key would be a new one, a changed one too. */
  #cannotRemember(): KubewrightError {
    return hostError(
      'knownHostsNotWritable',
      `the new host's key cannot be kept: ${this.#hop.sources.knownHosts} wants no known_hosts file`,
      { host: this.#host, hint: 'Set `ssh.knownHostsFile` in cluster.yaml to a file that may remember it.' },
    );
  }

  /** A key that is on file for the name without its port is trusted as well, as in OpenSSH; another one says nothing. */
  #judge(key: Buffer): Verdict {
    const verdict = judge(this.#entries, this.#name, key);
    const { hostKeyAlias, port, address, knownHostsFiles, globalKnownHostsFiles } = this.#hop;
    if (verdict.kind !== 'unknown' || hostKeyAlias !== undefined || port === 22) return verdict;
    const bare = address.toLowerCase();
    const known = judge(entriesFor([...knownHostsFiles, ...globalKnownHostsFiles], bare, this.#host), bare, key);
    return known.kind === 'trusted' ? known : verdict;
  }

  #refuse(verdict: Exclude<Verdict, { kind: 'trusted' }>, key: Buffer): KubewrightError {
    const files = [...this.#hop.knownHostsFiles, ...this.#hop.globalKnownHostsFiles].filter(
      (file, index) => index === 0 || existsSync(file),
    );
    const file = recordFile(this.#hop);
    const shown = `${keyTypeOf(key)} ${fingerprint(key)}`;
    const who = `${this.#hop.label} (${this.#name})`;
    if (verdict.kind === 'unknown') {
      const port = this.#hop.port === 22 ? '' : `-p ${this.#hop.port} `;
      const place =
        files.length > 0 ? `not in ${files.join(', ')}` : 'not known: there is no known_hosts file to look into';
      const add =
        file === undefined
          ? `set \`ssh.knownHostsFile\` in cluster.yaml, for ${this.#hop.sources.knownHosts} wants no known_hosts file, and add the key there.`
          : `\`ssh-keyscan ${port}${this.#hop.address} >> ${file}\`; or set \`ssh.hostKeys: accept-new\`.`;
      return hostError('hostKeyUnknown', `the host key of ${who} is ${place}; it showed ${shown}`, {
        host: this.#host,
        hint: `Compare that fingerprint with the host's own (\`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` on its console), then ${add}`,
      });
    }
    const { entry } = verdict;
    const place = `${entry.file}:${entry.line}`;
    if (verdict.kind === 'revoked') {
      return hostError('hostKeyRevoked', `${who} showed a key that is revoked at ${place} (${shown})`, {
        host: this.#host,
        hint: 'Somebody withdrew this key. Find out why, and give the host a new one, before you go on.',
      });
    }
    if (verdict.kind === 'certificate-authority') {
      return hostError(
        'certificateAuthority',
        `${who} is known only through a certificate authority (${place}), which is not supported`,
        {
          host: this.#host,
          hint: `Add the host's own key to ${file ?? 'a known_hosts file'} (it showed ${shown}), or set \`ssh.client: openssh\`, which understands host certificates.`,
        },
      );
    }
    return hostError(
      'hostKeyChanged',
      `the host key of ${who} has changed: ${place} says ${entry.keyType} ${fingerprint(entry.key)}, it showed ${shown}`,
      {
        host: this.#host,
        hint:
          `A person must decide: the machine was rebuilt, or someone stands in between. Only if you know that it was rebuilt: ` +
          `\`ssh-keygen -f ${entry.file} -R '${this.#name}'\`, then add the new key.`,
      },
    );
  }
}

/** The name that known_hosts has: an alias stands for address and port together, as in OpenSSH. */
export function nameOf(hop: Hop): string {
  return hop.hostKeyAlias?.toLowerCase() ?? lookupName(hop.address, hop.port);
}

/** What the files say of this host, the user's first. @throws KubewrightError KW223, KW224 */
export function entriesOf(hop: Hop, host: string): KnownHostEntry[] {
  return entriesFor([...hop.knownHostsFiles, ...hop.globalKnownHostsFiles], nameOf(hop), host);
}

/** Where a new key is noted down; /dev/null remembers nothing. */
function recordFile({ knownHostsFiles: [file] }: Hop): string | undefined {
  return file === '/dev/null' ? undefined : file;
}

function endsInsideALine(file: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return false;
  }
  try {
    const { size } = fstatSync(descriptor);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
  } finally {
    closeSync(descriptor);
  }
}
