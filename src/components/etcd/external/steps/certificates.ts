import { createHash, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Facts } from '../../../../activities/remote-facts.js';
import { quote } from '../../../../hosts/shell.js';
import type { CertificatePair } from '../pki.js';

/** kubeadm's CAs live for ten years. */
const CA_LEAST_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * Bash: facts about a CA certificate and pairs. Of a key only the digest of its public half leaves the host.
 *
 * @param ca path of the CA's certificate
 */
export function certificateFacts(ca: string, pairs: CertificatePair[]): string {
  const facts = pairs.map(
    ({ base, owner = '' }) =>
      `fact crt:${base} cat ${quote(`${base}.crt`)}\nfact key:${base} key_digest ${quote(`${base}.key`)} ${owner}`,
  );
  return `key_digest() {
  [ "$(stat -c '%a %U' "$1")" = "600 \${2:-root}" ] || return 1
  openssl pkey -in "$1" -pubout -outform DER | sha256sum | cut -c 1-64
}
fact openssl command -v openssl
fact ca cat ${ca}
${facts.join('\n')}
`;
}

/** What is wrong with a CA certificate, or undefined. */
export function caFault(path: string, pem: string): string | undefined {
  const certificate = parse(pem);
  if (certificate === undefined) return `${path} is missing`;
  return certificate.ca ? expiryFault(path, certificate, CA_LEAST_DAYS) : `${path} is no CA certificate`;
}

/** What pairs are compared with. */
export interface PairRules {
  /** Path of the CA's certificate on the same host. */
  ca: string;
  /** Days that a certificate has to be good for yet. */
  leastDays: number;
}

/** What is wrong with pairs that have to be signed by the CA on the same host. */
export function pairFaults(facts: Facts, pairs: CertificatePair[], rules: PairRules): string[] {
  const ca = parse(facts.text('ca'));
  if (ca === undefined) return [`${rules.ca} is missing`];
  if (!facts.holds('openssl')) return ['openssl is missing, and with it the way to check keys'];
  return pairs.flatMap(({ base, names }) => {
    const path = `${base}.crt`;
    const certificate = parse(facts.text(`crt:${base}`));
    if (certificate === undefined) return [`${path} is missing`];
    if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) return [`${path} was signed by another CA`];
    if (facts.text(`key:${base}`) !== publicKeyDigest(certificate)) return [`${base}.key is not the key of ${path}`];
    const missing = names.filter((name) => !(isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)));
    if (missing.length > 0) return [`${path} does not name ${missing.join(', ')}`];
    return expiryFault(path, certificate, rules.leastDays) ?? [];
  });
}

function expiryFault(path: string, certificate: X509Certificate, leastDays: number): string | undefined {
  const days = (new Date(certificate.validTo).getTime() - Date.now()) / DAY_MS;
  return days < leastDays ? `${path} ends on ${certificate.validTo}` : undefined;
}

/** SHA-256 of a certificate (DER), as people compare it: the first 16 hexadecimal digits. */
export function shortFingerprint(pem: string): string {
  const certificate = parse(pem);
  if (certificate === undefined) return 'none';
  return createHash('sha256').update(certificate.raw).digest('hex').slice(0, 16);
}

function publicKeyDigest(certificate: X509Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    // Missing, or cut short while it was written.
    return undefined;
  }
}
