import { createHash } from 'node:crypto';
import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { type KubewrightError, messageOf } from '../../errors.js';
import { hostError } from '../errors.js';
import {
  judge,
  type KnownHostEntry,
  keyTypeOf,
  knownKeyTypes,
  lookupName,
  parseKnownHosts,
  type Verdict,
} from './known-hosts.js';
import type { Hop } from './target.js';

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
  readonly #entries: KnownHostEntry[];
  readonly #name: string;
  #refusal: KubewrightError | undefined;
  #unrecorded: Buffer | undefined;

  /**
   * Reads the known_hosts files afresh, so that what a person just mended counts.
   * @throws KubewrightError KW223 or KW224 when a file cannot be read or understood: that fails closed
   */
  constructor(hop: Hop, host: string) {
    this.#hop = hop;
    this.#host = host;
    this.#name = lookupName(hop.hostKeyAlias ?? hop.address, hop.port);
    this.#entries = hop.knownHostsFiles.flatMap((file) => readKnownHosts(file, host));
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
    const verdict = judge(this.#entries, this.#name, key);
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
    const file = this.#hop.knownHostsFiles[0];
    if (this.#unrecorded === undefined || file === undefined) return;
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

  #refuse(verdict: Exclude<Verdict, { kind: 'trusted' }>, key: Buffer): KubewrightError {
    const files = this.#hop.knownHostsFiles;
    const shown = `${keyTypeOf(key)} ${fingerprint(key)}`;
    const who = `${this.#hop.label} (${this.#name})`;
    if (verdict.kind === 'unknown') {
      const port = this.#hop.port === 22 ? '' : `-p ${this.#hop.port} `;
      return hostError('hostKeyUnknown', `the host key of ${who} is not in ${files.join(', ')}; it showed ${shown}`, {
        host: this.#host,
        hint:
          `Compare that fingerprint with the host's own (\`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` on its console), then ` +
          `\`ssh-keyscan ${port}${this.#hop.address} >> ${files[0]}\`; or set \`ssh.hostKeys: accept-new\`.`,
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
          hint: `Add the host's own key to ${files[0]} (it showed ${shown}).`,
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

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function readKnownHosts(file: string, host: string): KnownHostEntry[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw hostError('knownHostsUnreadable', `cannot read ${file}: ${messageOf(error)}`, {
      host,
      hint: 'No host is trusted without it. Make the file readable for the worker.',
      cause: error,
    });
  }
  const { entries, malformed } = parseKnownHosts(text, file);
  if (malformed.length === 0) return entries;
  const places = malformed.slice(0, 3).map((bad) => `${bad.file}:${bad.line} (${bad.why})`);
  throw hostError(
    'knownHostsMalformed',
    `cannot understand ${malformed.length} line(s) of known_hosts: ${places.join(', ')}`,
    {
      host,
      hint: 'Such a line may have revoked a key, so no host is trusted until it is mended or deleted.',
    },
  );
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
