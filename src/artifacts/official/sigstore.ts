import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { bundleFromJSON, type SerializedBundle } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { type TrustMaterial, toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { z } from 'zod';
import { KubewrightError, messageOf } from '../../errors.js';

/** Who may have signed: what Sigstore's authority wrote into the certificate after the signer had logged in. */
export interface Identity {
  /** The certificate's alternative name: an address of mail, or of a workflow. */
  subject: string;
  /** Who vouched for the login. */
  issuer: string;
}

/** What the transparency log promised to keep: a signature counts only where the log has it, for its time is the signature's. */
export const logEntry = z.object({
  /** Base64. */
  body: z.string(),
  /** Seconds since 1970. */
  integratedTime: z.number(),
  /** Hexadecimal. */
  logID: z.string().regex(/^[0-9a-f]{64}$/),
  logIndex: z.number(),
  /** The log's signature over all of the above, base64. */
  signedEntryTimestamp: z.string(),
});
export type LogEntry = z.infer<typeof logEntry>;

export interface KeylessSignature {
  /** What was signed. */
  content: Buffer;
  /** Base64. */
  signature: string;
  /** PEM. */
  certificate: string;
  entry: LogEntry;
}

/**
 * The keys of Sigstore's public instance.
 *
 * @param path a trusted_root.json, as Sigstore publishes it by TUF
 * @throws KW739 when it is none
 */
export async function loadTrust(path: string): Promise<TrustMaterial> {
  try {
    const trust = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(await readFile(path, 'utf8'))));
    // What is no trusted root at all is read as an empty one.
    if (trust.certificateAuthorities.length > 0 && trust.tlogs.length > 0 && trust.ctlogs.length > 0) return trust;
    throw new Error('it names no authority, or no log');
  } catch (cause) {
    throw new KubewrightError('KW739', `${path} cannot be used as Sigstore's trusted root: ${messageOf(cause)}.`, {
      hint: 'Give KUBEWRIGHT_SIGSTORE_ROOT a trusted_root.json, or leave it out.',
      cause,
    });
  }
}

/**
 * Verifies a signature that was made without a key of one's own: the certificate is of Sigstore's authority, in its certificate
 * log, for this identity, and valid at the time at which the transparency log took the signature; the signature is of the
 * content.
 *
 * @returns undefined when it holds, else why not
 */
export function whyNotSigned(
  { content, signature, certificate, entry }: KeylessSignature,
  { subject, issuer }: Identity,
  trust: TrustMaterial,
): string | undefined {
  try {
    const bundle = bundleFromJSON(bundleOf({ content, signature, certificate, entry }));
    const policy = { subjectAlternativeName: exactly(subject), extensions: { issuer } };
    new Verifier(trust).verify(toSignedEntity(bundle, content), policy);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * The same of a signature whose maker has put all that proves it into one file (Sigstore's bundle, cosign's `--bundle`).
 *
 * @param text of that file
 * @returns undefined when it holds, else why not
 */
export function whyBundleNotSigned(
  { content, text }: { content: Buffer; text: string },
  { subject, issuer }: Identity,
  trust: TrustMaterial,
): string | undefined {
  try {
    const policy = { subjectAlternativeName: exactly(subject), extensions: { issuer } };
    new Verifier(trust).verify(toSignedEntity(bundleFromJSON(JSON.parse(text)), content), policy);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * What can be told without the transparency log: that the certificate is of Sigstore's authority and for this identity, and
 * the signature of the content. Not when it was made: for that there is the log.
 *
 * @returns undefined when nothing speaks against it, else what does
 */
export function whyNotPlausible(
  { content, signature, certificate }: Omit<KeylessSignature, 'entry'>,
  { subject }: Identity,
  trust: TrustMaterial,
): string | undefined {
  try {
    const leaf = new X509Certificate(certificate);
    const authorities = trust.certificateAuthorities.flatMap(({ certChain }) => certChain);
    const keys = authorities.map(({ publicKey }) => createPublicKey({ key: publicKey, format: 'der', type: 'spki' }));
    if (!keys.some((key) => leaf.verify(key))) return "its certificate is not of Sigstore's authority";
    if (leaf.subjectAltName !== `email:${subject}`)
      return `its certificate is for ${leaf.subjectAltName}, not ${subject}`;
    const fits = verify('sha256', content, leaf.publicKey, Buffer.from(signature, 'base64'));
    return fits ? undefined : 'it is of another content';
  } catch (error) {
    return `it cannot be read: ${messageOf(error)}`;
  }
}

/** The library takes a pattern. */
function exactly(text: string): string {
  return `^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
}

/** A signature and its proof as one bundle. */
export function bundleOf({ content, signature, certificate, entry }: KeylessSignature): SerializedBundle {
  const { kind, apiVersion } = entryKind.parse(JSON.parse(Buffer.from(entry.body, 'base64').toString('utf8')));
  const digest = createHash('sha256').update(content).digest('base64');
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: derOf(certificate) }] },
      tlogEntries: [
        {
          logIndex: String(entry.logIndex),
          logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
          kindVersion: { kind, version: apiVersion },
          integratedTime: String(entry.integratedTime),
          inclusionPromise: { signedEntryTimestamp: entry.signedEntryTimestamp },
          canonicalizedBody: entry.body,
        },
      ],
    },
    messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest }, signature },
  };
  // Optional parts of the type are written as undefined there, and left out here.
  return bundle as unknown as SerializedBundle;
}

const entryKind = z.object({ kind: z.string(), apiVersion: z.string() });

/** The base64 between the lines of a PEM; of several certificates, of the first. */
function derOf(pem: string): string {
  return /-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/.exec(pem)?.[1]?.replace(/\s/g, '') ?? '';
}
