import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** `*` and `?`, as in ssh_config(5), PATTERNS. Case counts. */
export function matchesPattern(text: string, pattern: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === text;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/** A list with commas; a negated pattern that matches excludes, whatever else matches. */
export function matchesPatternList(text: string, list: string): boolean {
  let matched = false;
  for (const pattern of list.split(',')) {
    if (pattern.startsWith('!') && matchesPattern(text, pattern.slice(1))) return false;
    if (matchesPattern(text, pattern)) matched = true;
  }
  return matched;
}

/**
 * Files that a path with wildcards names, in the order of their names, as glob(7) has it: `*`, `?` and `[…]` in any part
 * of the path, hidden files only where the pattern begins with a dot. What is not there is no error.
 *
 * @param pattern absolute
 * @throws the file system's error for a directory that may not be read
 */
export function globFiles(pattern: string): string[] {
  const parts = path
    .normalize(pattern)
    .split('/')
    .filter((part) => part !== '');
  return parts
    .reduce((found, part) => found.flatMap((directory) => matchingEntries(directory, part)), ['/'])
    .filter((file) => orAbsent(() => statSync(file))?.isDirectory() === false)
    .sort();
}

function matchingEntries(directory: string, part: string): string[] {
  // A part without wildcards is taken as it is: whether the file is there shows when it is read.
  if (!/[*?[]/.test(part)) return [path.join(directory, part)];
  const matcher = globMatcher(part);
  return entriesOf(directory)
    .filter((name) => (part.startsWith('.') || !name.startsWith('.')) && matcher.test(name))
    .map((name) => path.join(directory, name));
}

function entriesOf(directory: string): string[] {
  return orAbsent(() => readdirSync(directory)) ?? [];
}

function orAbsent<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function globMatcher(part: string): RegExp {
  const source = part.replace(
    /\[([!^]?)([^\]/]+)\]|\*+|\?|[.+^${}()|[\]\\]/g,
    (token, negated?: string, set?: string) => {
      if (set !== undefined) return `[${negated ? '^' : ''}${set.replace(/[\\^]/g, '\\$&')}]`;
      if (token.startsWith('*')) return '.*';
      return token === '?' ? '.' : `\\${token}`;
    },
  );
  return new RegExp(`^${source}$`, 's');
}
