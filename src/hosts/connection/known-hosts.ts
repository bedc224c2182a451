import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { matchesPattern } from './ssh-config/patterns.js';

/**
 * The known_hosts format and its judgement, as in sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. Pure: text in, verdict out.
 */
export interface KnownHostEntry {
  file: string;
  line: number;
  marker: 'revoked' | 'cert-authority' | undefined;
  /** Comma-separated patterns, or one hashed name (`|1|salt|hash`). */
  patterns: string;
  /** Such as `ssh-ed25519`. */
  keyType: string;
  key: Buffer;
}

export interface MalformedLine {
  file: string;
  line: number;
  why: string;
}

export type Verdict =
  | { kind: 'trusted'; entry: KnownHostEntry }
  | { kind: 'unknown' }
  | { kind: 'changed'; entry: KnownHostEntry }
  | { kind: 'revoked'; entry: KnownHostEntry }
  | { kind: 'certificate-authority'; entry: KnownHostEntry };

/** The name to look up: `[host]:port` unless the port is 22. Lower case, as OpenSSH does. */
export function lookupName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Reads one file's text. A line that cannot be understood is reported, for it may have been a revocation. */
export function parseKnownHosts(text: string, file: string): { entries: KnownHostEntry[]; malformed: MalformedLine[] } {
  const entries: KnownHostEntry[] = [];
  const malformed: MalformedLine[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const parsed = parseLine(content);
    const place = { file, line: index + 1 };
    if (typeof parsed === 'string') malformed.push({ ...place, why: parsed });
    else if (parsed !== undefined) entries.push({ ...place, ...parsed });
  }
  return { entries, malformed };
}

function parseLine(content: string): Omit<KnownHostEntry, 'file' | 'line'> | string | undefined {
  const fields = content.split(/\s+/);
  let marker: KnownHostEntry['marker'];
  if (content.startsWith('@')) {
    const name = fields.shift();
    if (name !== '@revoked' && name !== '@cert-authority') return `unknown marker ${name}`;
    marker = name === '@revoked' ? 'revoked' : 'cert-authority';
  }
  const [patterns, keyType, encoded] = fields;
  if (patterns === undefined || keyType === undefined || encoded === undefined) return 'fewer than three fields';
  // SSH protocol 1 (`host bits exponent modulus`): obsolete, and it can match no key of today.
  if (/^\d+$/.test(keyType) && /^\d+$/.test(encoded)) return undefined;
  if (patterns.startsWith('|') && !/^\|1\|[A-Za-z0-9+/]+=*\|[A-Za-z0-9+/]+=*$/.test(patterns))
    return 'a hashed name that is not |1|salt|hash';
  if (!/^[A-Za-z0-9+/]+=*$/.test(encoded)) return 'the key is not base64';
  const key = Buffer.from(encoded, 'base64');
  if (keyTypeOf(key) !== keyType) return `the key is not of type ${keyType}`;
  return { marker, patterns, keyType, key };
}

/** Key type written inside of a public key blob, or undefined when it is none. */
export function keyTypeOf(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const length = key.readUInt32BE(0);
  return length > 0 && length <= 64 && key.length > 4 + length ? key.toString('latin1', 4, 4 + length) : undefined;
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Whether an entry speaks of `name` (see `lookupName`). A negated pattern that matches excludes the whole entry. */
export function entryMatches(entry: KnownHostEntry, name: string): boolean {
  if (entry.patterns.startsWith('|')) return matchesHash(entry.patterns, name);
  let matched = false;
  for (const pattern of entry.patterns.toLowerCase().split(',')) {
    if (pattern.startsWith('!') && matchesPattern(name, pattern.slice(1))) return false;
    if (matchesPattern(name, pattern)) matched = true;
  }
  return matched;
}

function matchesHash(hashed: string, name: string): boolean {
  const [, , salt = '', hash = ''] = hashed.split('|');
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/**
 * Judges the key that a host showed. Revocation counts first. A key of another type than those listed is `changed`, not
 * `unknown`: whoever answers cannot show any key that is on file.
 */
export function judge(entries: readonly KnownHostEntry[], name: string, key: Buffer): Verdict {
  const matching = entries.filter((entry) => entryMatches(entry, name));
  const revoked = matching.find((entry) => entry.marker === 'revoked' && entry.key.equals(key));
  if (revoked) return { kind: 'revoked', entry: revoked };
  const plain = matching.filter((entry) => entry.marker === undefined);
  const trusted = plain.find((entry) => entry.key.equals(key));
  if (trusted) return { kind: 'trusted', entry: trusted };
  const changed = plain.find((entry) => entry.keyType === keyTypeOf(key)) ?? plain[0];
  if (changed) return { kind: 'changed', entry: changed };
  const authority = matching.find((entry) => entry.marker === 'cert-authority');
  return authority ? { kind: 'certificate-authority', entry: authority } : { kind: 'unknown' };
}

/** Key types on file for a host, in the order of the file. */
export function knownKeyTypes(entries: readonly KnownHostEntry[], name: string): string[] {
  const types = entries
    .filter((entry) => entry.marker === undefined && entryMatches(entry, name))
    .map((entry) => entry.keyType);
  return [...new Set(types)];
}
