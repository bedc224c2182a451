import { createPrivateKey } from 'node:crypto';
import { access, writeFile } from 'node:fs/promises';
import { execa } from 'execa';

/** One occurrence: what was found, in which form, in which file. */
export interface Finding {
  name: string;
  form: string;
  file: string;
}

/** Shorter pieces would be found by chance somewhere in a gigabyte. */
const SHORTEST = 8;

/**
 * Planted and collected secrets, and the search for them. Each is looked for as it is, by either half (what was cut in two
 * by a line, a page of a database or a limit is found all the same), and all of that in base64 at each of the three
 * alignments that an encoder of a longer text may give it, and in hexadecimal digits.
 */
export class Secrets {
  /** Text that is searched for → whose it is. */
  readonly #patterns = new Map<string, { name: string; form: string }>();
  readonly #names = new Set<string>();

  get names(): string[] {
    return [...this.#names];
  }

  /** A value of printable characters. */
  add(name: string, value: string): this {
    if (value.length < 2 * SHORTEST) throw new Error(`${name} is too short to be told from chance`);
    this.#names.add(name);
    for (const [part, text] of partsOf(value)) {
      this.#note(name, part, text);
      for (const [encoding, encoded] of encodingsOf(Buffer.from(text)))
        this.#note(name, `${part}, ${encoding}`, encoded);
    }
    return this;
  }

  /** An ordinary word that has to be found, or the search itself is broken. */
  addControl(name: string, word: string): this {
    this.#note(name, 'whole', word);
    return this;
  }

  /**
   * A private key in PEM: the lines that hold what only the key has, and its private number by itself.
   *
   * @param pem text with one private key in it, and perhaps certificates
   */
  addPem(name: string, pem: string): this {
    const block = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----([^-]+)-----END/.exec(pem);
    if (block === null) throw new Error(`${name} is no private key`);
    const lines = (block[2] ?? '').trim().split('\n');
    const openSsh = block[1] === 'OPENSSH ';
    const key = openSsh ? undefined : createPrivateKey(`${block[0]} ${block[1]}PRIVATE KEY-----\n`);
    // An elliptic curve's key begins with its number; all others begin with what everyone may see (the modulus of RSA, the
    // public key of OpenSSH).
    const own = key?.asymmetricKeyType === 'ec' ? lines.slice(0, 1) : lines.slice(Math.floor(lines.length / 2), -1);
    for (const line of own.slice(0, 2)) this.add(name, line);
    const number = key === undefined ? undefined : Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
    for (const [encoding, encoded] of number ? encodingsOf(number) : [])
      this.#note(name, `its number, ${encoding}`, encoded);
    return this;
  }

  /**
   * Searches files and directories, whatever is in them.
   *
   * @param patternFile where the patterns may lie during the search: a place that nobody searches
   * @throws when a path cannot be read: what was not searched is not clean
   */
  async search(paths: string[], patternFile: string): Promise<Finding[]> {
    await Promise.all(paths.map((path) => access(path)));
    await writeFile(patternFile, `${[...this.#patterns.keys()].join('\n')}\n`, { mode: 0o600 });
    // Patterns come from a file: in an argument list they would be what this test looks for.
    const search = 'set -o pipefail; grep -r -H -a -F -o -Z -D skip -f "$0" -- "$@" | sort -u';
    const result = await execa('bash', ['-c', search, patternFile, ...paths], {
      env: { LC_ALL: 'C' },
      encoding: 'latin1',
      reject: false,
      stdin: 'ignore',
    });
    // A log that is rotated away meanwhile is no failure; everything else is.
    const failures = result.stderr
      .split('\n')
      .filter((line) => line !== '' && !line.endsWith(': No such file or directory'));
    if (failures.length > 0 || ![0, 1, 2].includes(result.exitCode ?? -1)) {
      throw new Error(`the search failed with ${result.exitCode}: ${failures.join('\n')}`);
    }
    return result.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [file = '', text = ''] = line.split('\0');
        const whose = this.#patterns.get(text);
        if (whose === undefined) throw new Error(`the search found in ${file} what nobody looked for`);
        return { file, ...whose };
      });
  }

  #note(name: string, form: string, text: string): void {
    if (text.length >= SHORTEST && !this.#patterns.has(text)) this.#patterns.set(text, { name, form });
  }
}

function partsOf(value: string): [string, string][] {
  const middle = Math.floor(value.length / 2);
  return [
    ['whole', value],
    ['first half', value.slice(0, middle)],
    ['second half', value.slice(middle)],
  ];
}

/** How bytes look inside of a longer text that was encoded. */
function encodingsOf(bytes: Buffer): [string, string][] {
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((before): [string, string] => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // Characters at both ends also hold bits of the neighbours.
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor(((before + bytes.length) * 8) / 6);
    return [`base64 at ${before}`, encoded.slice(from, to)];
  });
  return [...base64, ['hexadecimal', hex], ['HEXADECIMAL', hex.toUpperCase()]];
}
