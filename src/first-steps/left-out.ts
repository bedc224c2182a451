import { shown } from '../hosts/printable.js';
import { says, type Values, whyLeftOut } from './values.js';

/** More names than these make a line that nobody reads. */
const MOST_NAMES = 3;

/** What could not be carried over: one line for each thing and reason, however many hosts it is of. Holds no secrets. */
export class LeftOut {
  readonly #hosts = new Map<string, { what: string; why: string; hosts: Set<string> }>();

  /**
   * @param what the thing, as its source calls it, never with a secret's value
   * @param why one sentence without a full stop
   */
  add(what: string, why: string, host?: string): void {
    const key = `${what}\n${why}`;
    const entry = this.#hosts.get(key) ?? { what, why, hosts: new Set() };
    if (host !== undefined) entry.hosts.add(host);
    this.#hosts.set(key, entry);
  }

  /** Everything of a map but some keys; what says nothing, or what is so by default, is no loss. @param where before each name */
  addAll(where: string, values: Values, known: readonly string[], host?: string): void {
    for (const [key, value] of Object.entries(values)) {
      const why = whyLeftOut(`${where}${key}`, value);
      if (!known.includes(key) && says(value) && why !== undefined) this.add(`${where}${key}`, why, host);
    }
  }

  lines(): string[] {
    return [...this.#hosts.values()].map(({ what, why, hosts }) => {
      const of = hosts.size === 0 ? '' : ` of ${listedNames([...hosts])}`;
      return oneLine(`${what}${of}: ${why}`);
    });
  }
}

/** Names in a sentence, a few of them. */
export function listedNames(names: string[]): string {
  const [shownNames, more] = [names.slice(0, MOST_NAMES), names.length - MOST_NAMES];
  if (more > 0) return `${shownNames.join(', ')} and ${more} more`;
  return shownNames.length < 2 ? shownNames.join('') : `${shownNames.slice(0, -1).join(', ')} and ${shownNames.at(-1)}`;
}

/** For a terminal and a comment: one line without control characters, and of a length that can be read. */
export function oneLine(text: string): string {
  const line = shown(text, Number.MAX_SAFE_INTEGER).replace(/[\s\u0085\u2028\u2029]+/gu, ' ');
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
