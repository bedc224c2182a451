import { lastLines } from './text.js';

/** What went wrong with a step, whether it waits for a person or is tried again by itself. */
export interface Trouble {
  /** Id of the step. */
  step: string;
  /** Host where it happened. */
  host: string | null;
  code: string;
  message: string;
  hint: string;
  output: string;
  retrying?: true;
}

/** Addresses of hosts, by their names. */
export type Addresses = Readonly<Record<string, string>>;

/** What a step does: `join` of `cp-2/join`. */
export function verbOf(step: string): string {
  return step.slice(step.indexOf('/') + 1);
}

/**
 * Steps that share a cause, told once for all of them: those of most steps first, otherwise in the order given. Every step
 * is in exactly one group.
 *
 * @param addresses of the hosts, as far as they are known
 */
export function alike<T extends Trouble>(troubles: readonly T[], addresses: Addresses = {}): T[][] {
  const groups = new Map<string, T[]>();
  for (const trouble of troubles) {
    const cause = causeOf(trouble, addresses);
    const group = groups.get(cause);
    if (group === undefined) groups.set(cause, [trouble]);
    else group.push(trouble);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

/** Lines at the end of an output that are compared: the cause stands at the end, and what is before it differs by chance. */
const COMPARED_LINES = 3;
/** Characters in which these are looked for: this is done for each of a thousand steps, four times a second. */
const COMPARED_CHARACTERS = 2_000;

/**
 * What two steps have in common that failed for the same reason: what the step does, the code, and what was said, but for
 * the host's own name and address, and for times, which no two hosts share. Another host's name, a port or any other word
 * makes it another cause.
 */
export function causeOf(trouble: Trouble, addresses: Addresses = {}): string {
  const { step, host, code, message, hint, output, retrying = false } = trouble;
  const end = lastLines(output.slice(-COMPARED_CHARACTERS), COMPARED_LINES).join('\n');
  const own = host === null ? [] : [host, addresses[host]];
  return JSON.stringify([verbOf(step), code, retrying, ...[message, hint, end].map((text) => neutral(text, own))]);
}

/** `I1126 04:38:58.1    4711` (klog, with the process), `2026-11-20T12:00:00.5Z`, `04:38:58`, `12 s`, `3 m 05 s`, `1m30.5s`. */
const TIMES = new RegExp(
  `(?<![\\w.])(?:${[
    String.raw`[IWEF]?\d{4} \d\d:\d\d:\d\d\.\d+ +\d+`,
    String.raw`(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?Z?`,
    String.raw`\d+ h \d+ m|\d+ m \d+ s|\d+(?:\.\d+)? (?:ms|s|m|h)`,
    String.raw`(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:ms|µs|s)`,
  ].join('|')})(?!\\w)`,
);

/** A text in pieces: what is left out of the comparison is a number, so that no text can look like it. */
type Pieces = (string | number)[];

function neutral(text: string, own: (string | undefined)[]): Pieces {
  let pieces: Pieces = [text];
  own.forEach((word, kind) => {
    if (word) pieces = pieces.flatMap((piece) => (typeof piece === 'string' ? without(piece, word, kind) : [piece]));
  });
  return pieces.flatMap((piece) => (typeof piece === 'string' ? between(piece.split(TIMES), own.length) : [piece]));
}

/** `w-1` is neither in `w-10` nor in `w-1.example.org`, but at the end of a sentence. */
function without(text: string, word: string, kind: number): Pieces {
  const parts = [''];
  let from = 0;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, from)) {
    const end = at + word.length;
    const isWhole = !/[\w.-]/.test(text.charAt(at - 1)) && !/^(?:[\w-]|\.\w)/.test(text.slice(end, end + 2));
    parts.push(parts.pop() + text.slice(from, isWhole ? at : end));
    if (isWhole) parts.push('');
    from = end;
  }
  parts.push(parts.pop() + text.slice(from));
  return between(parts, kind);
}

function between(parts: string[], kind: number): Pieces {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [kind, part]));
}

/** Remembers what was told, for whoever appends lines: a cause is told in full once. */
export class ToldCauses {
  private readonly steps = new Map<string, string>();

  /**
   * The step that was told with the same cause before; undefined for a cause that is new, and for that very step.
   *
   * @param kind what is told: a step that fails first and blocks then is told in full both times
   */
  before(kind: string, trouble: Trouble, addresses: Addresses | undefined): string | undefined {
    const cause = `${kind} ${causeOf(trouble, addresses)}`;
    const told = this.steps.get(cause);
    if (told === undefined) this.steps.set(cause, trouble.step);
    return told === trouble.step ? undefined : told;
  }
}
