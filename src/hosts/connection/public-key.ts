import ssh2 from 'ssh2';
import { fingerprint, keyTypeOf } from './known-hosts.js';

const { utils } = ssh2;

/** A public key, as the agent, a `.pub` file or a private key's head has it. */
export interface PublicKey {
  /** Such as `ssh-ed25519`. */
  type: string;
  /** The wire format: what identifies it. */
  blob: Buffer;
  comment: string;
}

export type Unusable = 'certificate' | 'FIDO key' | 'key of an unknown kind';

/** Why the built-in client cannot log in with such a key, or undefined when it can. */
export function unusableKind(type: string): Unusable | undefined {
  if (/-cert-v0\d@openssh\.com$/.test(type)) return 'certificate';
  if (/^sk-/.test(type)) return 'FIDO key';
  return /^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp(256|384|521))$/.test(type) ? undefined : 'key of an unknown kind';
}

/** `type SHA256:…`, as `ssh-keygen -l` prints it. */
export function describeKey({ type, blob }: Pick<PublicKey, 'type' | 'blob'>): string {
  return `${type} ${fingerprint(blob)}`;
}

/** A line `type base64 comment`, options of authorized_keys not among them. Undefined when the text is none. */
export function parsePublicLine(text: string): PublicKey | undefined {
  const [type, encoded, ...comment] = text.trim().split(/\s+/);
  if (type === undefined || encoded === undefined || !/^[A-Za-z0-9+/]+=*$/.test(encoded)) return undefined;
  const blob = Buffer.from(encoded, 'base64');
  return keyTypeOf(blob) === type ? { type, blob, comment: comment.join(' ') } : undefined;
}

const OPENSSH_PRIVATE =
  /-----BEGIN OPENSSH PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END OPENSSH PRIVATE KEY-----/;
const MAGIC = 'openssh-key-v1\0';

/**
 * The public half inside of a private key in OpenSSH's own format, where it stands in clear also when the private one is
 * encrypted (PROTOCOL.key: magic, cipher, kdf, its options, number of keys, public key). Undefined for other formats.
 */
export function publicHalfOf(text: string): PublicKey | undefined {
  const encoded = OPENSSH_PRIVATE.exec(text)?.[1];
  if (encoded === undefined) return undefined;
  const data = Buffer.from(encoded, 'base64');
  if (data.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  let at = MAGIC.length;
  const readString = (): Buffer => {
    const length = at + 4 <= data.length ? data.readUInt32BE(at) : data.length;
    const value = data.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return value;
  };
  for (let skipped = 0; skipped < 3; skipped += 1) readString();
  at += 4;
  const blob = Buffer.from(readString());
  const type = keyTypeOf(blob);
  return type === undefined ? undefined : { type, blob, comment: '' };
}

/** ssh2's form of a public key. Undefined for a kind that it does not know. */
export function parsedForm(blob: Buffer): ssh2.ParsedKey | undefined {
  const parsed = utils.parseKey(blob);
  const key: ssh2.ParsedKey | Error | undefined = Array.isArray(parsed) ? parsed[0] : parsed;
  return key instanceof Error ? undefined : key;
}
