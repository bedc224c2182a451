import { createHash } from 'node:crypto';

/**
 * SHA-256, in hex, of a value's canonical JSON: keys sorted by UTF-16 code units (as RFC 8785), no spaces, and keys whose
 * value is undefined left out. Two values that say the same have the same hash, whatever the order of their keys.
 * @throws TypeError for what JSON cannot hold: functions, symbols, bigints, NaN and infinities
 */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`JSON cannot hold ${String(value)}`);
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`);
  return `{${entries.join(',')}}`;
}
