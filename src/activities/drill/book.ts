import { assign, bash, quote } from '../../hosts/shell.js';
import type { RemoteHost } from '../../hosts/types.js';
import { PROBE_KINDS, type ProbeKind } from '../../plan/drill-report.js';
import { type Answer, unknown, yes } from '../answers.js';
import type { Sample } from './gaps.js';

/**
 * Where the host that asks keeps what it sees, and when what was done: all times of a scenario are by one clock, whoever dies. Below
 * /run, so nothing of it outlives a reboot.
 */
export const BOOK = '/run/kubewright/drill';

/** The unit that asks. */
export const ASKING_UNIT = 'kubewright-drill-ask';

/** The pod that asks for a name, in kube-system. */
export const DNS_POD = 'kubewright-drill';

/** What it says, on the host that it runs on, as a pattern of a shell. */
export const DNS_LOGS = `/var/log/pods/kube-system_${DNS_POD}_*/ask/*.log`;

/** What it has said, in the book, once it does not ask any more. */
export const DNS_SEEN = 'dns';

/**
 * What was done, and when: `break` is noted before anything is broken, `broken` once it was seen to be; `survived` where it was not.
 */
export type Mark = 'break' | 'broken' | 'survived' | 'not-ready' | 'moved' | 'watched' | 'restored' | 'healthy';

/** What stands in the book. */
export interface Book {
  marks: Map<Mark, { at: number; count?: number }>;
  /** Those of the last minutes, or all of them. */
  samples: Map<ProbeKind, Sample[]>;
  /** The host's clock when it was read, milliseconds since the epoch. */
  now: number;
  /** What `startProbes` has written down; empty where that is nothing. */
  choice: string;
}

/** Questions of each kind that are read where only the latest count. */
const LATEST = 60;

const READ = bash`cd ${BOOK} 2>/dev/null && [ "$(cat name 2>/dev/null)" = "$name" ] || { echo none; exit 0; }
systemctl is-active --quiet ${ASKING_UNIT} && echo asking
echo "now $(date +%s%3N)"
echo "begun $(cat begun 2>/dev/null)"
echo "choice $(cat choice 2>/dev/null)"
sed 's/^/mark /' marks 2>/dev/null
some() { if [ "$latest" = 0 ]; then cat; else tail -n "$latest"; fi; }
some <samples 2>/dev/null
set -- ${DNS_LOGS}
[ ! -f ${DNS_SEEN} ] || set -- ${DNS_SEEN}
for log in "$@"; do [ ! -f "$log" ] || some <"$log"; done | sed -n 's/^\([^ ]*\) stdout F \(told\|lost\)$/dns \1 \2/p'
echo end
`;

/** A read book, or that there is none. */
export interface Reading {
  /** Undefined where the host has no book of this name. */
  book: Book | undefined;
  /** Whether the unit that asks runs. */
  asking: boolean;
}

/**
 * Reads a scenario's book.
 *
 * @param what the latest questions, or all
 */
export async function readBook(
  host: RemoteHost,
  name: string,
  what: 'latest' | 'all',
  signal: AbortSignal,
): Promise<Answer<Reading>> {
  const latest = what === 'all' ? 0 : LATEST * PROBE_KINDS.length;
  const { stdout } = await host.run(`${assign({ name, latest })}${READ}`, { signal, timeoutMs: 60_000 });
  const lines = stdout.trimEnd().split('\n');
  if (lines[0] === 'none') return yes({ book: undefined, asking: false });
  if (lines.at(-1) !== 'end') return unknown(`the answer of ${host.name} did not come whole`);
  return yes({ book: parseBook(lines), asking: lines.includes('asking') });
}

/** Reads the lines of a book; those that were cut short while they were written are left out. Pure. */
export function parseBook(lines: readonly string[]): Book {
  const samples = new Map<ProbeKind, Sample[]>(PROBE_KINDS.map((kind) => [kind, []]));
  const marks: Book['marks'] = new Map();
  let [now, begun, choice] = [0, 0, ''];
  for (const line of lines) {
    const [first = '', ...rest] = line.split(' ');
    if (first === 'now') now = Number(rest[0]);
    else if (first === 'begun') begun = Number(rest[0]);
    else if (first === 'choice') choice = rest.join(' ');
    else if (first === 'mark') note(marks, rest);
    else if (first === 'dns') samples.get('dns')?.push(...dnsSample(rest));
    else samples.get(first as ProbeKind)?.push(...sample(rest));
  }
  // The log of an earlier pod of that name may be there for a while.
  const own = new Map([...samples].map(([kind, all]) => [kind, all.filter(({ at }) => at >= begun)]));
  return { marks, samples: own, now, choice };
}

/** Whether something was done or seen, and nothing of the other behind it: of several tries the last one counts. Pure. */
export function isMarked(marks: Book['marks'], what: Mark, notBefore?: Mark): boolean {
  const at = marks.get(what)?.at;
  return at !== undefined && at >= ((notBefore === undefined ? undefined : marks.get(notBefore)?.at) ?? 0);
}

function note(marks: Book['marks'], [name = '', at = '', count]: string[]): void {
  if (!/^\d+$/.test(at)) return;
  marks.set(name as Mark, { at: Number(at), ...(count === undefined ? {} : { count: Number(count) }) });
}

function sample([at = '', endedAt = '', ok = '']: string[]): Sample[] {
  if (![at, endedAt].every((time) => /^\d{13}$/.test(time)) || !/^[01]$/.test(ok)) return [];
  return [{ at: Number(at), endedAt: Number(endedAt), ok: ok === '1' }];
}

/** Seconds after which the pod gives a question up; see `dnsPod`. */
export const DNS_PATIENCE_SECONDS = 1;

/** The runtime notes when the pod said so, in nanoseconds; when it had asked is known of those that it gave up. */
function dnsSample([time = '', what]: string[]): Sample[] {
  const endedAt = Date.parse(time.replace(/(\.\d{3})\d*/, '$1'));
  if (Number.isNaN(endedAt)) return [];
  const ok = what === 'told';
  return [{ at: ok ? endedAt : endedAt - DNS_PATIENCE_SECONDS * 1_000, endedAt, ok }];
}

/**
 * Notes that something was done or seen. A mark that is there already is written anew: the last one counts.
 *
 * @param count what goes with it
 */
export async function mark(
  host: RemoteHost,
  name: string,
  { what, count, signal }: { what: Mark; count?: number; signal?: AbortSignal },
): Promise<void> {
  const words = [what, '$(date +%s%3N)', ...(count === undefined ? [] : [String(count)])].join(' ');
  const script = `cd ${BOOK} && [ "$(cat name)" = ${quote(name)} ] && echo "${words}" >>marks && sync marks\n`;
  await host.run(script, { signal });
}
