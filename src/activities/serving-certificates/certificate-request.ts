/** What a PKCS #10 certificate request asks for, as far as an approver has to know. */
export interface CertificateRequest {
  commonNames: string[];
  organizations: string[];
  dnsNames: string[];
  /** IPv4 addresses in dots, others in hexadecimal digits. */
  addresses: string[];
  /** Whether its subject or its names hold anything else: URIs, e-mail addresses, more parts of a subject. */
  hasMore: boolean;
}

/** OIDs in DER, as hexadecimal digits. */
const COMMON_NAME = '550403';
const ORGANIZATION = '55040a';
const EXTENSION_REQUEST = '2a864886f70d01090e';
const SUBJECT_ALT_NAME = '551d11';

const ATTRIBUTES = 0xa0;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/**
 * Reads a request in PEM (RFC 2986). Node has no reader of its own for them, and what openssl prints is for people.
 * @throws RangeError or SyntaxError for what is no request
 */
export function readCertificateRequest(pem: string): CertificateRequest {
  const base64 = /-----BEGIN CERTIFICATE REQUEST-----([\s\S]+?)-----END CERTIFICATE REQUEST-----/.exec(pem)?.[1];
  if (base64 === undefined) throw new SyntaxError('it is no certificate request in PEM');
  const [request] = parts(Buffer.from(base64, 'base64'));
  const [info] = parts(contentOf(request));
  const [, subject, , ...more] = parts(contentOf(info));
  const attributes = more.find(({ tag }) => tag === ATTRIBUTES);
  const named = pairsIn(parts(contentOf(subject)).flatMap(({ content }) => parts(content)));
  const names = attributes === undefined ? [] : alternativeNames(attributes.content);
  const valuesOf = (oid: string) =>
    named.filter((pair) => pair.oid === oid).map(({ content }) => content.toString('utf8'));
  const ofTag = (tag: number) => names.filter((name) => name.tag === tag).map(({ content }) => content);
  return {
    commonNames: valuesOf(COMMON_NAME),
    organizations: valuesOf(ORGANIZATION),
    dnsNames: ofTag(DNS_NAME).map((content) => content.toString('latin1')),
    addresses: ofTag(IP_ADDRESS).map((content) =>
      content.length === 4 ? [...content].join('.') : content.toString('hex'),
    ),
    hasMore:
      named.some(({ oid }) => oid !== COMMON_NAME && oid !== ORGANIZATION) ||
      names.some(({ tag }) => tag !== DNS_NAME && tag !== IP_ADDRESS),
  };
}

interface Part {
  tag: number;
  content: Buffer;
}

/** The elements of a DER encoding, one after the other. */
function parts(der: Buffer): Part[] {
  const found: Part[] = [];
  for (let at = 0; at < der.length; ) {
    const tag = der.readUInt8(at);
    const first = der.readUInt8(at + 1);
    const bytes = first < 0x80 ? 0 : first & 0x7f;
    if (bytes > 4) throw new RangeError('an element is too long');
    const length = bytes === 0 ? first : der.readUIntBE(at + 2, bytes);
    const start = at + 2 + bytes;
    if (start + length > der.length) throw new RangeError('an element is cut short');
    found.push({ tag, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function contentOf(part: Part | undefined): Buffer {
  if (part === undefined) throw new SyntaxError('an element is missing');
  return part.content;
}

/** Sequences of an OID and a value. */
function pairsIn(sequences: Part[]): { oid: string; content: Buffer }[] {
  return sequences.map((sequence) => {
    const [oid, value] = parts(sequence.content);
    return { oid: contentOf(oid).toString('hex'), content: contentOf(value) };
  });
}

/** Of every extension request and every extension of that name: none may hide behind another one. */
function alternativeNames(attributes: Buffer): Part[] {
  const extensions = pairsIn(parts(attributes))
    .filter(({ oid }) => oid === EXTENSION_REQUEST)
    .flatMap(({ content }) => parts(content))
    .flatMap(({ content }) => parts(content));
  return extensions.flatMap(({ content }) => {
    const [oid, ...rest] = parts(content);
    if (contentOf(oid).toString('hex') !== SUBJECT_ALT_NAME) return [];
    // Behind a flag that says whether it is critical, where there is one.
    return parts(contentOf(rest.at(-1))).flatMap((names) => parts(names.content));
  });
}
