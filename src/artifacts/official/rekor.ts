import { z } from 'zod';
import { messageOf } from '../../errors.js';
import { bytesOf, type Client } from './client.js';
import { type LogEntry, logEntry } from './sigstore.js';

/** How long (milliseconds) the log has to answer: without it the making goes on, and says so. */
const PATIENCE = 15_000;

export interface LogQuestion {
  client: Client;
  signal?: AbortSignal | undefined;
  /** Address of the log. */
  rekor: string;
  /** Of the content, hexadecimal. */
  sha256: string;
  /** Base64. */
  signature: string;
  /** PEM. */
  certificate: string;
}

/** Entries by their ids, as the log's API returns them. */
const answerSchema = z.array(
  z.record(
    z.string(),
    logEntry
      .omit({ signedEntryTimestamp: true })
      .extend({ verification: z.object({ signedEntryTimestamp: z.string() }).optional() }),
  ),
);

/**
 * Asks Sigstore's transparency log for its entry of a signature: what lies beside a program does not hold it. What the log says
 * need not be trusted, it is signed.
 *
 * @returns the entry, or why there is none: the log does not know it (there are others), or could not be asked
 * @throws when the caller's signal says so
 */
export async function findLogEntry(question: LogQuestion): Promise<LogEntry | { unasked: string }> {
  const { client, signal, rekor } = question;
  const within = AbortSignal.timeout(PATIENCE);
  try {
    const answer = await client.ask(`${rekor}/api/v1/log/entries/retrieve`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      content: JSON.stringify({ entries: [hashedRecord(question)] }),
      signal: signal ? AbortSignal.any([signal, within]) : within,
    });
    const bytes = await bytesOf(answer);
    if (!answer.ok) return { unasked: `the transparency log at ${rekor} says ${answer.status}` };
    const [found] = answerSchema.parse(JSON.parse(bytes.toString('utf8'))).flatMap((entries) => Object.values(entries));
    if (!found?.verification) return { unasked: `the transparency log at ${rekor} does not know it` };
    const { verification, ...entry } = found;
    return { ...entry, signedEntryTimestamp: verification.signedEntryTimestamp };
  } catch (error) {
    signal?.throwIfAborted();
    return { unasked: `the transparency log at ${rekor} could not be asked (${messageOf(error)})` };
  }
}

/** The log finds an entry by what it is made of. */
function hashedRecord({ sha256, signature, certificate }: LogQuestion): unknown {
  const publicKey = { content: Buffer.from(certificate).toString('base64') };
  return {
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    spec: { signature: { content: signature, publicKey }, data: { hash: { algorithm: 'sha256', value: sha256 } } },
  };
}
