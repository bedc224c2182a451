import { readFileSync, type Stats, statSync } from 'node:fs';
import { messageOf } from '../../errors.js';
import { hostError } from '../errors.js';
import { entryMatches, type KnownHostEntry, type MalformedLine, parseKnownHosts } from './known-hosts.js';

/** A file as it was when it was read. Hashed names cost an HMAC a line, so what was looked up is kept as well. */
interface ReadFile {
  stamp: string;
  entries: KnownHostEntry[];
  malformed: MalformedLine[];
  found: Map<string, KnownHostEntry[]>;
}

/** By path. The files of one person; they are read again when they changed. */
const cache = new Map<string, ReadFile>();

/**
 * The lines of these files that speak of a name. A file that is not there says nothing.
 *
 * @throws KubewrightError KW223 or KW224 when a file cannot be read or understood: that fails closed
 */
export function entriesFor(files: readonly string[], name: string, host: string): KnownHostEntry[] {
  return files.flatMap((file) => {
    const read = readKnownHosts(file, host);
    if (read === undefined) return [];
    if (read.malformed.length > 0) throw malformed(read.malformed, host);
    const known = read.found.get(name) ?? read.entries.filter((entry) => entryMatches(entry, name));
    read.found.set(name, known);
    return known;
  });
}

function readKnownHosts(file: string, host: string): ReadFile | undefined {
  try {
    const status = statSync(file, { throwIfNoEntry: false });
    if (status === undefined) return undefined;
    const stamp = stampOf(status);
    const known = cache.get(file);
    if (known?.stamp === stamp) return known;
    const read = { stamp, ...parseKnownHosts(readFileSync(file, 'utf8'), file), found: new Map() };
    cache.set(file, read);
    return read;
  } catch (error) {
    throw hostError('knownHostsUnreadable', `cannot read ${file}: ${messageOf(error)}`, {
      host,
      hint: 'No host is trusted without it. Make the file readable for the worker.',
      cause: error,
    });
  }
}

function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
}

function malformed(lines: MalformedLine[], host: string): Error {
  const places = lines.slice(0, 3).map((bad) => `${bad.file}:${bad.line} (${bad.why})`);
  return hostError(
    'knownHostsMalformed',
    `cannot understand ${lines.length} line(s) of known_hosts: ${places.join(', ')}`,
    {
      host,
      hint: 'Such a line may have revoked a key, so no host is trusted until it is mended or deleted.',
    },
  );
}
