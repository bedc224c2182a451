import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrustMaterial } from '@sigstore/verify';
import type { Vouched } from '../../bundle/schema.js';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import { packageRoot } from '../../package-root.js';
import { Client } from './client.js';
import { type DownloadOptions, fetchBytes } from './download.js';
import { verifyDetached } from './gpg.js';
import type { FoundImage } from './registry.js';
import { findLogEntry } from './rekor.js';
import { type Identity, whyBundleNotSigned, whyNotPlausible, whyNotSigned } from './sigstore.js';

/** Keys that are pinned, as their projects publish them. */
const KEYS = 'src/artifacts/official/keys';

/** The folder with the pinned keys: `runc.keyring` of the release that is downloaded, and Sigstore's trusted root. */
export function pinnedKeys(): string {
  return join(packageRoot(), KEYS);
}

/** How a publisher signs. docs/bundles.md has the table of all of them. */
export type Signing =
  /** Not at all. */
  | { by: 'nobody'; why: string }
  /** In a way that is not checked here. */
  | { by: 'others'; why: string }
  /** A detached OpenPGP signature at `url`, by a key of one of the pinned keyrings. */
  | { by: 'gpg'; url: string; keyring: string }
  /** By Sigstore: of a file in `.sig` and `.cert` beside it, of an image in the registry. */
  | { by: 'sigstore'; identity: Identity }
  /** By Sigstore, with all that proves it in one file, `.bundle` beside it. */
  | { by: 'sigstore-bundle'; identity: Identity };

/** What came of it, for bundle.json. */
export type SignatureRecord = NonNullable<Vouched['signature']>;

/** What signatures are checked with. */
export interface Trust {
  /** Folder with keyrings. */
  keys: string;
  sigstore: TrustMaterial;
  /** Address of Sigstore's transparency log. */
  rekor: string;
  /** Whether to refuse what is signed and could not be verified. */
  required: boolean;
}

/** What is to be checked, and with what. */
export interface Signed extends DownloadOptions {
  /** The file as it was published. */
  file: string;
  /** Where it was. */
  url: string;
  /** Of the file, hexadecimal. */
  sha256: string;
  scratch: string;
  trust: Trust;
}

/**
 * Checks the signature of a published file.
 *
 * @throws KW738 when there is one and it does not hold, or none could be verified and one is required; as `download` when it
 * cannot be asked for
 */
export async function checkSignature(signing: Signing, signed: Signed): Promise<SignatureRecord> {
  if (signing.by === 'nobody') return { state: 'none', detail: signing.why };
  if (signing.by === 'others') return { state: 'unchecked', detail: signing.why };
  return demand(await checkSigned(signing, signed), signed.url, signed.trust);
}

function checkSigned(
  signing: Signing & { by: 'gpg' | 'sigstore' | 'sigstore-bundle' },
  signed: Signed,
): Promise<SignatureRecord> {
  if (signing.by === 'gpg') return checkGpg(signing, signed);
  return signing.by === 'sigstore' ? checkKeyless(signing.identity, signed) : checkBundle(signing.identity, signed);
}

/** Checks the signature of an image; throws as `checkSignature`. */
export async function checkImageSignature(signing: Signing, image: FoundImage, trust: Trust): Promise<SignatureRecord> {
  if (signing.by !== 'sigstore')
    return { state: signing.by === 'nobody' ? 'none' : 'unchecked', detail: whyOf(signing) };
  return demand(await checkImage(signing.identity, image, trust), image.url, trust);
}

function whyOf(signing: Signing): string {
  return 'why' in signing ? signing.why : `images signed by ${signing.by} are not checked`;
}

async function checkImage(identity: Identity, image: FoundImage, trust: Trust): Promise<SignatureRecord> {
  const signatures = await image.signatures();
  if (!signatures?.length) return { state: 'unchecked', detail: 'the registry has no such signature beside the image' };
  const faults = signatures.map((signature) =>
    signature.digest === image.digest
      ? whyNotSigned(signature, identity, trust.sigstore)
      : `it is for ${signature.digest}, not for ${image.digest}`,
  );
  if (faults.includes(undefined)) return verifiedBy(identity);
  throw notSigned(image.url, faults.join('; '));
}

async function checkGpg(signing: Signing & { by: 'gpg' }, signed: Signed): Promise<SignatureRecord> {
  const signature = await fetchIfThere(signing.url, signed);
  if (!signature) return absent(signing.url);
  const keyring = join(signed.trust.keys, signing.keyring);
  const verdict = await verifyDetached({ ...signed, signature, keyring });
  if (verdict.state === 'no-gpgv') return { state: 'unchecked', detail: 'gpgv is not installed on this machine' };
  if (verdict.state === 'bad') throw notSigned(signed.url, verdict.why);
  const since = verdict.expired ? ', which has run out since' : '';
  return { state: 'verified', detail: `OpenPGP key ${verdict.fingerprint}${since}` };
}

async function checkKeyless(identity: Identity, signed: Signed): Promise<SignatureRecord> {
  const { url, sha256, file, trust, signal, client = new Client() } = signed;
  const [signature, written] = [await fetchIfThere(`${url}.sig`, signed), await fetchIfThere(`${url}.cert`, signed)];
  if (!signature || !written) return absent(`${url}.${signature ? 'cert' : 'sig'}`);
  const proof = { signature: signature.toString('latin1').trim(), certificate: pemOf(written.toString('latin1')) };
  const content = await readFile(file);
  // Told without the log first: it finds entries by what they are of, and knows nothing of what was changed since.
  const fault = whyNotPlausible({ ...proof, content }, identity, trust.sigstore);
  if (fault !== undefined) throw notSigned(url, fault);
  const entry = await findLogEntry({ ...proof, client, signal, sha256, rekor: trust.rekor });
  if ('unasked' in entry) return { state: 'unchecked', detail: entry.unasked };
  const why = whyNotSigned({ ...proof, entry, content }, identity, trust.sigstore);
  if (why !== undefined) throw notSigned(url, why);
  return verifiedBy(identity);
}

async function checkBundle(identity: Identity, signed: Signed): Promise<SignatureRecord> {
  const bundle = await fetchIfThere(`${signed.url}.bundle`, signed);
  if (!bundle) return absent(`${signed.url}.bundle`);
  const content = await readFile(signed.file);
  const why = whyBundleNotSigned({ content, text: bundle.toString('utf8') }, identity, signed.trust.sigstore);
  if (why !== undefined) throw notSigned(signed.url, why);
  return verifiedBy(identity);
}

/** cosign writes certificates as PEM, and into files once more in base64. */
function pemOf(text: string): string {
  return text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64').toString('latin1');
}

function verifiedBy({ subject, issuer }: Identity): SignatureRecord {
  return { state: 'verified', detail: `Sigstore: ${subject}, by ${issuer}` };
}

function absent(url: string): SignatureRecord {
  return { state: 'unchecked', detail: `there is none at ${url}` };
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

function demand(record: SignatureRecord, url: string, { required }: Trust): SignatureRecord {
  if (!required || record.state === 'verified') return record;
  throw new KubewrightError('KW738', `The signature of ${url} could not be verified: ${record.detail}.`, {
    hint: 'Mend that, or leave --require-signatures out: checksums are compared in any case.',
  });
}

function notSigned(url: string, why: string): KubewrightError {
  return new KubewrightError('KW738', `The signature of ${url} does not hold: ${why}.`, {
    hint:
      'Somebody may have changed the file and its checksum: do not use it, and tell its publisher. ' +
      "(If Sigstore's or the publisher's keys are newer than this Kubewright: an update has them, KUBEWRIGHT_SIGSTORE_ROOT names a newer trusted_root.json.)",
  });
}
