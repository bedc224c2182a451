import { changeOf, type LaterOperation } from '../../cluster/changes.js';
import { describePath, describeValue } from '../../cluster/describe.js';
import { canonicalJson } from '../../cluster/hash.js';
import { lineOf, type Places } from '../../cluster/places.js';
import { redact } from '../../hosts/redact.js';

/**
 * What becomes of a difference between cluster.yaml and the living cluster:
 * - `install`: install carries it out
 * - `refused`: this version of Kubewright cannot change it on a living cluster
 * - `never`: nothing can change it on a living cluster
 * - `stays`: install leaves it as it is, and goes on
 */
export type Verdict = 'install' | 'refused' | 'never' | 'stays';

/** One thing in which cluster.yaml and the living cluster differ. */
export interface Difference {
  /** Place in cluster.yaml, such as `spec.kubernetes.version` or `spec.hosts[w-1].labels.disk`. */
  key: string;
  /** Line of the key in the file, or of what it belongs to; null when neither is written there. */
  line: number | null;
  /** Hosts on which it was found; empty when it is about the cluster as a whole. */
  hosts: string[];
  /** What the cluster has, in a few words. */
  applied: string;
  /** What the file says. */
  wanted: string;
  /** What becomes of it: `install` carries it out; `refused` and `never` stop the install; it `stays` as it is. */
  verdict: Verdict;
  /** Of a refused one: the operation that will change it. It does not exist yet. */
  later: LaterOperation | null;
}

/** All that came of a comparison. */
export interface Comparison {
  differences: Difference[];
  /** What could not be compared, and why: "spec.…: …", one line each. Nothing is known of it. */
  unchecked: string[];
}

/** What a comparison finds before it is known where the file says it. */
export type Found = Pick<Difference, 'key' | 'applied' | 'wanted'> & { hosts?: string[]; verdict?: Verdict };

/** Completes a finding: its line in the file, and what becomes of it by the key's class in `KEY_CHANGES`. */
export function difference(found: Found, places: Places | undefined): Difference {
  const { key, applied, wanted, hosts = [] } = found;
  const known = changeOf(key);
  // A key of the comparison that the table does not have is a programming error, not a user's.
  if (known === undefined) throw new Error(`no class for ${key}`);
  const { change, later } = known;
  const verdict = found.verdict ?? (change === 'applied' ? 'install' : change === 'never' ? 'never' : 'refused');
  const line = lineOf(places, key) ?? null;
  return { key, line, hosts, applied, wanted, verdict, later: verdict === 'refused' ? (later ?? null) : null };
}

/**
 * Finds that are the same but for the host become one with all of its hosts. What holds for the whole cluster names none,
 * whatever single hosts have besides.
 */
export function merged(found: Found[]): Found[] {
  const byText = new Map<string, Found>();
  for (const one of found) {
    const text = canonicalJson({ ...one, hosts: undefined });
    const before = byText.get(text);
    byText.set(text, before === undefined ? one : { ...before, hosts: hostsOfBoth(before.hosts, one.hosts) });
  }
  return [...byText.values()];
}

function hostsOfBoth(before: string[] | undefined, more: string[] | undefined): string[] | undefined {
  return before === undefined || more === undefined ? undefined : [...before, ...more];
}

/** A key below another one: `spec.kubernetes.kubelet.config` and `evictionHard`, `memory.available`. */
export function below(key: string, path: readonly string[]): string {
  const rest = describePath(['x', ...path]).slice(1);
  return `${key}${rest}`;
}

const LONGEST = 100;

/** A value for people: short ones whole, others in a few words, secrets not at all. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string')
    return redact(value === '' ? '""' : value.length <= LONGEST ? value : describeValue(value));
  const json = canonicalJson(value);
  return redact(json.length <= LONGEST ? json : describeValue(value));
}

const HEADS: Record<Verdict, string> = {
  install: 'install applies',
  refused: 'refused: this version of Kubewright cannot change it on a living cluster',
  never: 'can never change on a living cluster',
  stays: 'stays as it is',
};

/** Differences under the heads by which `plan` and the refusal show them, in their order. */
export function grouped(differences: Difference[]): { head: string; differences: Difference[] }[] {
  const laters = ['upgrade', 'reconfigure', 'add and remove nodes'] as const;
  const group = (head: string, take: (one: Difference) => boolean) => ({ head, differences: differences.filter(take) });
  return [
    group(HEADS.install, ({ verdict }) => verdict === 'install'),
    group(HEADS.stays, ({ verdict }) => verdict === 'stays'),
    ...laters.map((later) =>
      group(`${HEADS.refused} ("${later}" is to come)`, (one) => one.verdict === 'refused' && one.later === later),
    ),
    group(HEADS.refused, ({ verdict, later }) => verdict === 'refused' && later === null),
    group(HEADS.never, ({ verdict }) => verdict === 'never'),
  ].filter((each) => each.differences.length > 0);
}

/** `spec.kubernetes.version (line 12): 1.34.3 → 1.34.4`. */
export function differenceText({ key, line, hosts, applied, wanted }: Difference): string {
  const where = [
    line === null ? 'not in the file' : `line ${line}`,
    ...(hosts.length > 0 ? [`on ${hosts.join(', ')}`] : []),
  ];
  return `${key} (${where.join('; ')}): ${applied} → ${wanted}`;
}

/** Those that keep install from beginning. */
export function refusals({ differences }: Comparison): Difference[] {
  return differences.filter(({ verdict }) => verdict === 'refused' || verdict === 'never');
}
