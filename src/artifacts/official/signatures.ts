import { join } from 'node:path';
import type { Vouched } from '../../bundle/schema.js';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import { packageRoot } from '../../package-root.js';
import { type DownloadOptions, fetchBytes } from './download.js';
import { verifyDetached } from './gpg.js';

/** Keys that are pinned, as their projects publish them: each file is the one of the release that the recipes name. */
const KEYS = 'src/artifacts/official/keys';

/** How a publisher signs. docs/bundles.md has the table of all of them. */
export type Signing =
  /** Not at all. */
  | { by: 'nobody'; why: string }
  /** In a way that is not checked here. */
  | { by: 'others'; why: string }
  /** A detached OpenPGP signature at `url`, by a key of one of the pinned keyrings. */
  | { by: 'gpg'; url: string; keyring: string };

/** What came of it, for bundle.json. */
export type SignatureRecord = NonNullable<Vouched['signature']>;

/** What is to be checked, and with what. */
export interface Signed extends DownloadOptions {
  /** The file as it was published. */
  file: string;
  /** Where it was. */
  url: string;
  scratch: string;
  /** Folder with other keyrings than the pinned ones, for tests. */
  keys?: string | undefined;
}

/**
 * Checks the signature of a published file.
 *
 * @throws KW738 when there is one and it is not good; as `download` when it cannot be asked for
 */
export async function checkSignature(signing: Signing, signed: Signed): Promise<SignatureRecord> {
  if (signing.by === 'nobody') return { state: 'none', detail: signing.why };
  if (signing.by === 'others') return { state: 'unchecked', detail: signing.why };
  const signature = await fetchIfThere(signing.url, signed);
  if (!signature) return { state: 'unchecked', detail: `there is none at ${signing.url}` };
  const keyring = join(signed.keys ?? join(packageRoot(), KEYS), signing.keyring);
  const verdict = await verifyDetached({ ...signed, signature, keyring });
  if (verdict.state === 'no-gpgv') return { state: 'unchecked', detail: 'gpgv is not installed on this machine' };
  if (verdict.state === 'bad') throw notSigned(signed.url, verdict.why);
  const since = verdict.expired ? ', which has run out since' : '';
  return { state: 'verified', detail: `OpenPGP key ${verdict.fingerprint}${since}` };
}

/** A mirror may carry the files and not their signatures: that is no fault, and bundle.json says so. */
async function fetchIfThere(url: string, { client, signal, backoff }: DownloadOptions): Promise<Buffer | undefined> {
  try {
    return await fetchBytes(url, { signal, backoff, ...(client && { client }) });
  } catch (error) {
    if (isKubewrightError(error) && error.code === 'KW722') return undefined;
    throw error;
  }
}

function notSigned(url: string, why: string): KubewrightError {
  return new KubewrightError('KW738', `The signature of ${url} does not hold: ${why}.`, {
    hint: 'Its checksum is right and its signature is not: somebody may have changed both. Do not use it, and tell its publisher.',
  });
}
