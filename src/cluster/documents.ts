import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemReason } from './patches.js';
import type { Path } from './path.js';
import type { Report } from './report.js';
import { decodeText } from './yaml/text.js';

/** They travel with the plan, compressed, and stand in the record of what was applied. Operators with all their CRDs fit. */
export const LARGEST_DOCUMENTS = 1024 * 1024;

/** How long an address may take to answer, milliseconds. */
const PATIENCE_MS = 20_000;

/** A text that cluster.yaml names by its file or address, read at once, so that the worker needs neither. */
export interface NamedText {
  content: string;
  /** Of its bytes, in hexadecimal. */
  sha256: string;
}

/** What came of asking an address. */
export type Fetched = ReadonlyMap<string, Uint8Array | { fault: string }>;

/**
 * Reads a text that the file names. What is wrong with it is reported at its place.
 *
 * @param written path, relative to the file, or an https address
 * @param expected SHA-256 that the file asks for
 */
export type ReadText = (written: string, place: Path, expected: string | undefined) => NamedText | undefined;

/** Addresses are asked before: see `fetchAddresses`. */
export function textReader(directory: string, fetched: Fetched, report: Report): ReadText {
  let total = 0;
  return (written, place, expected) => {
    const complain = (code: string, message: string, wanted: string): undefined => {
      report.error(place, code, { message, expected: wanted, found: written });
    };
    const bytes = isAddress(written) ? fetchedBytes(written, fetched) : fileBytes(resolve(directory, written));
    if ('fault' in bytes) return complain('unreadable-text', bytes.fault, 'a file, or an https address that answers');
    total += bytes.length;
    if (total > LARGEST_DOCUMENTS) {
      return complain('texts-too-large', `with it the texts that this file names are larger than ${MOST}`, 'less');
    }
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (expected !== undefined && expected !== sha256) {
      return complain('other-digest', `its SHA-256 is ${sha256}, and the file asks for ${expected}`, 'the same text');
    }
    const decoded = decodeText(bytes, written);
    if ('text' in decoded) return { content: decoded.text, sha256 };
    report.problems.push(decoded.problem);
    return undefined;
  };
}

const MOST = `${LARGEST_DOCUMENTS / 1024} KiB`;

export const isAddress = (written: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(written);

function fileBytes(path: string): Uint8Array | { fault: string } {
  try {
    const { size } = statSync(path);
    return size > LARGEST_DOCUMENTS ? { fault: `it is larger than ${MOST}` } : readFileSync(path);
  } catch (error) {
    return { fault: `cannot be read: ${systemReason(error)}` };
  }
}

function fetchedBytes(address: string, fetched: Fetched): Uint8Array | { fault: string } {
  if (!address.startsWith('https://')) return { fault: 'only https is asked: what comes over http anybody can change' };
  return fetched.get(address) ?? { fault: 'it was not asked: only `loadCluster` and `loadClusterFrom` ask addresses' };
}

/** Asks each https address once, all at the same time. Never throws: what went wrong is said where the address stands. */
export async function fetchAddresses(addresses: readonly string[]): Promise<Fetched> {
  const https = [...new Set(addresses)].filter((address) => address.startsWith('https://'));
  return new Map(await Promise.all(https.map(async (address) => [address, await fetchOne(address)] as const)));
}

async function fetchOne(address: string): Promise<Uint8Array | { fault: string }> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!response.url.startsWith('https://')) return { fault: 'it leads on to an address without https' };
    if (!response.ok || response.body === null) return { fault: `it answers with status ${response.status}` };
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of response.body) {
      pieces.push(piece);
      length += piece.length;
      if (length > LARGEST_DOCUMENTS) return { fault: `it is larger than ${MOST}` };
    }
    return Buffer.concat(pieces);
  } catch (error) {
    return { fault: `it does not answer: ${reasonOf(error)}` };
  }
}

/** The message of `fetch` is "fetch failed"; the cause says why. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.cause instanceof Error) return error.cause.message;
  return error instanceof Error ? error.message : String(error);
}
