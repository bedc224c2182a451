import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** Whoever signs a repository, with an OpenPGP key that is made here and gone afterwards. */
export class Signer {
  private constructor(
    private readonly home: string,
    /** The public key, in ASCII armour. */
    readonly publicKey: string,
  ) {}

  static async make(name: string): Promise<Signer> {
    // An agent's socket has to fit into 107 characters.
    const home = await mkdtemp(join(tmpdir(), 'kw-signer-'));
    const gpg = gpgIn(home);
    await gpg('--quick-generate-key', `${name} <${name}@example.com>`, 'rsa3072', 'sign', '1y');
    return new Signer(home, `${await gpg('--armor', '--export')}\n`);
  }

  /** Beside the file: `FILE.asc`. */
  async sign(path: string): Promise<void> {
    await gpgIn(this.home)('--armor', '--output', `${path}.asc`, '--detach-sign', path);
  }

  /** The file with its signature in one, as apt reads it. */
  async signWithin(path: string, output: string): Promise<void> {
    await gpgIn(this.home)('--output', output, '--clearsign', path);
  }

  /** For a program elsewhere that signs: the private key, in ASCII armour. */
  privateKey(): Promise<string> {
    return gpgIn(this.home)('--armor', '--export-secret-keys');
  }

  async remove(): Promise<void> {
    await execa('gpgconf', ['--homedir', this.home, '--kill', 'all'], { reject: false });
    await rm(this.home, { recursive: true, force: true });
  }
}

function gpgIn(home: string) {
  const quiet = ['--batch', '--yes', '--pinentry-mode', 'loopback', '--passphrase', ''];
  return async (...args: string[]) => (await execa('gpg', ['--homedir', home, ...quiet, ...args])).stdout;
}
