import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabHost } from '../../../lab/hosts/index.js';

/** Does something again and again until it is stopped; the first failure ends it and is thrown by `stop`. */
export class Sampler {
  #stopped = false;
  #failure: unknown;
  readonly #ended: Promise<void>;
  /** How often it was done. */
  rounds = 0;

  constructor(everyMs: number, sample: () => void | Promise<void>) {
    this.#ended = this.#run(everyMs, sample);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #run(everyMs: number, sample: () => void | Promise<void>): Promise<void> {
    try {
      while (!this.#stopped) {
        await sample();
        this.rounds += 1;
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    } catch (error) {
      this.#failure = error;
    }
  }
}

/**
 * The argument lists of every process of this machine. The hosts of a lab are namespaces of it, so all of theirs are among
 * them: one look serves for `ps` on each host.
 */
export function argumentLists(into: Set<string>): void {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const text = readGone(`/proc/${pid}/cmdline`);
    if (text) into.add(text.replaceAll('\0', ' ').trim());
  }
}

/** Bootstrap tokens and certificate keys: what a join is given. */
const TOKEN = /\b[a-z0-9]{6}\.([a-z0-9]{16})\b/g;
const CERTIFICATE_KEY = /(?<![A-Za-z0-9]|sha256:)[0-9a-f]{64}(?![A-Za-z0-9])/g;

export interface Minted {
  /** The secret half of each token: the first half is a name that the API shows. */
  tokens: Set<string>;
  certificateKeys: Set<string>;
}

/**
 * What lies below a host's /run/kubewright now, for as long as a command runs that needs it.
 *
 * @param root the host's, see `hostRoot`
 */
export function mintedSecrets(root: string, into: Minted): void {
  const runtime = join(root, 'run/kubewright');
  for (const unit of listGone(runtime)) {
    for (const name of listGone(join(runtime, unit))) {
      const text = readGone(join(runtime, unit, name)) ?? '';
      for (const [, secret = ''] of text.matchAll(TOKEN)) into.tokens.add(secret);
      for (const [key] of text.matchAll(CERTIFICATE_KEY)) into.certificateKeys.add(key);
    }
  }
}

/**
 * Bootstrap tokens that etcd was ever told, deleted ones among them: its log keeps what the API shows no more. This finds
 * the token that `kubeadm init` mints for itself and that lies in no file.
 *
 * @param root of a host with an etcd member
 */
export function tokensInEtcd(root: string, into: Minted): void {
  const log = join(root, 'var/lib/etcd/member/wal');
  for (const name of listGone(log)) {
    // A Secret's data is a map in protobuf: the key, then field 2 with 16 bytes.
    const [, ...values] = (readGone(join(log, name)) ?? '').split('token-secret\x12\x10');
    for (const value of values) if (/^[a-z0-9]{16}/.test(value)) into.tokens.add(value.slice(0, 16));
  }
}

/** A host's files as this machine sees them, disk and what is mounted there. */
export async function hostRoot(host: LabHost): Promise<string> {
  const init = await host.initPid();
  if (init === undefined) throw new Error(`${host.name} is off`);
  return `/proc/${init}/root`;
}

/** What ends while it is looked at was not there. */
function readGone(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function listGone(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
