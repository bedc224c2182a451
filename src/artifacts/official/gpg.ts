import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';

/** What GnuPG says of a signature. */
export type GpgVerdict =
  | { state: 'good'; fingerprint: string; expired: boolean }
  | { state: 'bad'; why: string }
  | { state: 'no-gpgv' };

export interface DetachedSignature {
  /** What was signed. */
  file: string;
  /** The signature, armored or not. */
  signature: Buffer;
  /** A file of armored public keys: who may have signed. */
  keyring: string;
  /** An empty place for gpgv's input. */
  scratch: string;
}

/**
 * Verifies a detached signature by gpgv, which knows no other keys and no trust than the keyring's. A key that has run out
 * counts, for releases are older than today; one that was revoked does not. (Of a key that is both, gpgv tells only the first:
 * a pinned keyring has to follow its project's.)
 */
export async function verifyDetached({ file, signature, keyring, scratch }: DetachedSignature): Promise<GpgVerdict> {
  const [keys, signed] = ['keys.gpg', 'signature'].map((name) => join(scratch, `${basename(file)}.${name}`));
  await writeFile(keys as string, dearmor(await readFile(keyring, 'latin1')));
  await writeFile(signed as string, signature);
  const args = ['--status-fd', '1', '--homedir', scratch, '--keyring', keys as string, signed as string, file];
  const result = await execa('gpgv', args, { reject: false, env: { LC_ALL: 'C' } });
  if (result.code === 'ENOENT') return { state: 'no-gpgv' };
  // doc/DETAILS of GnuPG: VALIDSIG has the fingerprint first, and last that of the primary key.
  const lines = result.stdout.split('\n').map((line) => line.replace('[GNUPG:] ', '').split(' '));
  const said = new Set(lines.map(([word]) => word));
  const valid = lines.find(([word]) => word === 'VALIDSIG');
  if (valid && (said.has('GOODSIG') || said.has('EXPKEYSIG')) && !said.has('BADSIG') && !said.has('REVKEYSIG')) {
    return { state: 'good', fingerprint: valid.at(-1) ?? '', expired: said.has('EXPKEYSIG') };
  }
  return { state: 'bad', why: reason(said) };
}

function reason(said: Set<string | undefined>): string {
  if (said.has('BADSIG')) return 'it is of another content';
  if (said.has('REVKEYSIG')) return 'its key was revoked';
  if (said.has('NO_PUBKEY')) return 'it is by a key that is not among the known ones';
  return 'it is no signature that gpgv understands';
}

/** gpgv takes keys in binary alone: the blocks' base64 without headers and checksum (RFC 9580, section 6.2). */
export function dearmor(text: string): Buffer {
  const blocks = text.matchAll(
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/g,
  );
  const packets = [...blocks].map(([, block = '']) => {
    const lines = block.split(/\r?\n/);
    const body = lines.slice(lines.findIndex((line) => line.trim() === '') + 1);
    return Buffer.from(body.filter((line) => !line.startsWith('=')).join(''), 'base64');
  });
  return Buffer.concat(packets);
}
