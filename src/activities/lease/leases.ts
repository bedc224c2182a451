import { isKubewrightError, KubewrightError } from '../../errors.js';
import type { RemoteHost } from '../../hosts/types.js';
import { parseLease, requireHost, takeScript, type Verdict, type Writer } from './lease.js';

/** A host that was taken so lately is not asked again: steps do many things there, one after the other. */
const TRUSTED_MS = 60_000;

/** Entries that are kept before old ones are thrown away. */
const MOST_KEPT = 5_000;

interface Held {
  since: number;
  taking: Promise<void>;
}

/**
 * The hosts that this worker's runs hold. Whoever changes a host asks here first; the answer of the host is believed for a
 * minute, by the worker's clock, so one that was asleep asks again when it wakes up.
 */
export class Leases {
  readonly #held = new Map<string, Held>();

  /** @param now milliseconds since the epoch */
  constructor(private readonly now: () => number = () => Date.now()) {}

  /**
   * Takes a host for a run, or renews that.
   *
   * @throws KubewrightError KW590, KW591, KW594 (see `requireHost`), KW596 when the host cannot write it down
   */
  hold(host: RemoteHost, writer: Writer): Promise<void> {
    const key = `${writer.runId} ${host.name} ${host.address}`;
    const known = this.#held.get(key);
    if (known !== undefined && this.#isFresh(known)) return known.taking;
    const entry: Held = { since: this.now(), taking: take(host, writer) };
    this.#held.set(key, entry);
    entry.taking.catch(() => {
      if (this.#held.get(key) === entry) this.#held.delete(key);
    });
    this.#forgetOld();
    return entry.taking;
  }

  #isFresh({ since }: Held): boolean {
    return Math.abs(this.now() - since) < TRUSTED_MS;
  }

  #forgetOld(): void {
    if (this.#held.size <= MOST_KEPT) return;
    for (const [key, entry] of this.#held) if (!this.#isFresh(entry)) this.#held.delete(key);
  }
}

async function take(host: RemoteHost, writer: Writer): Promise<void> {
  const { exitCode, stdout, stderr } = await host.run(takeScript(writer), { allowFailure: true });
  if (exitCode !== 0) {
    throw new KubewrightError('KW596', `the host cannot write down which run changes it: ${lastLine(stderr)}`, {
      host: host.name,
      hint: 'See that /var/lib/kubewright can be written there (a full or read-only disk), then retry the step.',
    });
  }
  const lines = stdout.trim().split('\n');
  const verdict = /^verdict=(\S+)$/.exec(lines[0] ?? '')?.[1];
  // An answer that was cut short permits nothing.
  requireHost((verdict ?? 'unreadable') as Verdict, parseLease(lines), host.name);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) || 'it was not said why';
}

/**
 * What must hold before a step changes a host: the first control plane and the host itself are held. The first one stands
 * for the cluster, so of two runs that begin in the same moment one is refused everywhere; while it cannot be reached the
 * host's own word is enough.
 */
export function holding(
  leases: Leases,
  writer: Writer,
  { home, host }: { home: RemoteHost | undefined; host: RemoteHost },
): () => Promise<void> {
  return async () => {
    if (home !== undefined && home.name !== host.name) await leases.hold(home, writer).catch(unlessUnreachable);
    await leases.hold(host, writer);
  };
}

function unlessUnreachable(error: unknown): void {
  const unreachable = isKubewrightError(error) && error.code.startsWith('KW2');
  if (!unreachable) throw error;
}

/** A host on which nothing is done before `hold` has gone well. Every function of a host passes through here. */
export function heldHost(host: RemoteHost, hold: () => Promise<void>): RemoteHost {
  const held = async <T>(act: () => Promise<T>): Promise<T> => {
    await hold();
    return act();
  };
  return {
    name: host.name,
    address: host.address,
    run: (script, options) => held(() => host.run(script, options)),
    runDurable: (command) => held(() => host.runDurable(command)),
    stopDurable: (id) => held(() => host.stopDurable(id)),
    stopDurables: (prefix) => held(() => host.stopDurables(prefix)),
    readFile: (path) => held(() => host.readFile(path)),
    writeFile: (path, content, options) => held(() => host.writeFile(path, content, options)),
    missingUploads: (files, options) => held(() => host.missingUploads(files, options)),
    upload: (files, options) => held(() => host.upload(files, options)),
  };
}
