import type { Path } from './path.js';

const LONGEST = 60;

// Control characters, and those that reorder text on a terminal: what a file holds must not steer the screen.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** A value in a few words, for "found …". Private keys are never shown. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  if (typeof value === 'string') return describeText(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') {
    const keys = Object.keys(value);
    return keys.length === 0 ? 'an empty map' : `a map with ${printable(cut(keys.slice(0, 4).join(', ')))}`;
  }
  return `the ${typeof value} ${String(value)}`;
}

function describeText(value: string): string {
  if (value.includes('PRIVATE KEY')) return 'a private key (not shown)';
  return printable(JSON.stringify(cut(value)));
}

/** Escapes what a terminal would obey or hide. */
export function printable(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

/** A path as people write it: `spec.hosts[2].labels["example.org/zone"]`. */
export function describePath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${printable(JSON.stringify(cut(part)))}]`;
  }
  return text;
}
