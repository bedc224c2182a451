import { createCipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';

/** OWASP's number for PBKDF2 with HMAC-SHA256 (Password Storage Cheat Sheet, 2023). */
export const ITERATIONS = 600_000;

/** What came of a file that was sealed. */
export interface Sealed {
  /** SHA-256 of the file, and of what is in it, in hexadecimal. */
  sha256: string;
  contentSha256: string;
  /** Bytes of the file. */
  size: number;
}

/**
 * Writes a file that `openssl enc -d -aes-256-cbc -pbkdf2 -iter 600000` opens: `Salted__`, eight bytes of salt, AES-256-CBC with key and
 * IV by PBKDF2-HMAC-SHA256. What is in it comes in pieces and never touches this machine's disk in the clear. For its owner alone; whole
 * or not there.
 *
 * @param pieces of what is to be sealed, one behind the other
 */
export async function sealFile(path: string, passphrase: string, pieces: AsyncIterable<Buffer>): Promise<Sealed> {
  const salt = randomBytes(8);
  const secret = pbkdf2Sync(passphrase, salt, ITERATIONS, 48, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', secret.subarray(0, 32), secret.subarray(32));
  const [outer, inner] = [createHash('sha256'), createHash('sha256')];
  const part = `${path}.part`;
  const file = await open(part, 'w', 0o600);
  let size = 0;
  const put = async (bytes: Buffer): Promise<void> => {
    outer.update(bytes);
    size += bytes.length;
    await file.writeFile(bytes);
  };
  try {
    await put(Buffer.concat([Buffer.from('Salted__'), salt]));
    for await (const piece of pieces) {
      inner.update(piece);
      await put(cipher.update(piece));
    }
    await put(cipher.final());
    await file.sync();
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(part, path);
  return { sha256: outer.digest('hex'), contentSha256: inner.digest('hex'), size };
}
