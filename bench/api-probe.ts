import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { parse } from 'yaml';
import { lengthOf, longest, type Sample, silences } from '../src/activities/drill/gaps.js';

/** What one kind of request saw while it was probed. */
export interface Gap {
  kind: ProbeKind;
  /** Longest time without an answer, in ms: from the start of the last request that was answered before a failure to the start of the first answered after. */
  longestMs: number;
  /**
   * Longest time between the arrival of two answers, in ms: counts what hung and was answered in the end as well, and is
   * a little more than the time between two requests when nothing is wrong.
   */
  silentMs: number;
  answered: number;
  failed: number;
}

/**
 * `version`: any API server that is up answers. `read`: an object read without a resource version, which etcd answers only
 * with a quorum (linearizable). `write`: a change of one annotation, through etcd's leader.
 */
export type ProbeKind = 'version' | 'read' | 'write';

interface Credentials {
  host: string;
  port: number;
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

/**
 * Asks the API through its endpoint ten times a second, each time on a new connection, as a client does that had none.
 * Requests do not wait for each other: one that hangs does not hide those behind it.
 */
export class ApiProbe {
  readonly #credentials: Credentials;
  readonly #samples = new Map<ProbeKind, Sample[]>();
  readonly #pending = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  /** @param kubeconfig path of an administrator's kubeconfig whose server is the endpoint to be probed */
  constructor(kubeconfig: string) {
    this.#credentials = readCredentials(kubeconfig);
  }

  start(kinds: ProbeKind[] = ['version', 'read', 'write']): void {
    for (const kind of kinds) this.#samples.set(kind, []);
    let round = 0;
    this.#timer = setInterval(() => {
      for (const kind of inTurn(kinds, round++)) this.#ask(kind);
    }, 100);
  }

  /** Waits until every kind was answered `times` times in a row since `since`, or `limitMs` have passed. Returns whether it was. */
  async steady(times: number, since: number, limitMs: number): Promise<boolean> {
    const deadline = Date.now() + limitMs;
    while (Date.now() < deadline) {
      const all = [...this.#samples.values()].every((samples) => {
        const last = inOrder(samples)
          .filter((sample) => sample.at >= since)
          .slice(-times);
        return last.length === times && last.every((sample) => sample.ok);
      });
      if (all) return true;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return false;
  }

  async stop(): Promise<Gap[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    return [...this.#samples].map(([kind, samples]) => gapOf(kind, inOrder(samples)));
  }

  #ask(kind: ProbeKind): void {
    const at = Date.now();
    const done = ask(this.#credentials, kind).then((ok) => {
      this.#samples.get(kind)?.push({ at, endedAt: Date.now(), ok });
      this.#pending.delete(done);
    });
    this.#pending.add(done);
  }
}

/** Each round begins with another kind: where three servers take turns, each of three kinds would meet one and the same. */
export function inTurn<T>(kinds: T[], round: number): T[] {
  const first = round % kinds.length;
  return [...kinds.slice(first), ...kinds.slice(0, first)];
}

function inOrder(samples: Sample[]): Sample[] {
  return [...samples].sort((a, b) => a.at - b.at);
}

/** @param samples in the order in which they were asked */
export function gapOf(kind: ProbeKind, samples: Sample[]): Gap {
  let longestMs = 0;
  let lastOk: number | undefined;
  let failing = false;
  for (const { at, ok } of samples) {
    if (ok && failing && lastOk !== undefined) longestMs = Math.max(longestMs, at - lastOk);
    if (ok) lastOk = at;
    failing = !ok;
  }
  // A probe that ends while failing saw no end of the gap: what is known of it counts.
  const end = samples.at(-1);
  if (failing && end !== undefined && lastOk !== undefined) longestMs = Math.max(longestMs, end.at - lastOk);
  const answered = samples.filter(({ ok }) => ok).length;
  const silence = longest(silences(samples));
  return {
    kind,
    longestMs,
    silentMs: silence === undefined ? 0 : lengthOf(silence),
    answered,
    failed: samples.length - answered,
  };
}

function ask(credentials: Credentials, kind: ProbeKind): Promise<boolean> {
  const body =
    kind === 'write'
      ? JSON.stringify({ metadata: { annotations: { 'kubewright.dev/probe': String(Date.now()) } } })
      : '';
  return new Promise((resolve) => {
    const asked = request(
      {
        ...credentials,
        method: kind === 'write' ? 'PATCH' : 'GET',
        path: kind === 'version' ? '/version' : '/api/v1/namespaces/default',
        headers: kind === 'write' ? { 'content-type': 'application/merge-patch+json' } : {},
        agent: false,
        timeout: 2_000,
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode === 200));
        response.on('error', () => resolve(false));
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end(body);
  });
}

function readCredentials(path: string): Credentials {
  const file = parse(readFileSync(path, 'utf8')) as {
    clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
    users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
  };
  const cluster = file.clusters[0]?.cluster;
  const user = file.users[0]?.user;
  if (cluster === undefined || user === undefined) throw new Error(`${path} names no cluster or no user`);
  const server = new URL(cluster.server);
  return {
    host: server.hostname,
    port: Number(server.port || 443),
    ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
    cert: Buffer.from(user['client-certificate-data'], 'base64'),
    key: Buffer.from(user['client-key-data'], 'base64'),
  };
}
