import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Made {
  /** PEM. */
  certificate: string;
  key: string;
}

/** An authority of openssl's making, and what it signs. */
export class Authority {
  readonly #root = mkdtempSync(join(tmpdir(), 'kubewright-authority-'));
  readonly certificate: string;

  constructor(name: string) {
    this.#openssl(`ecparam -name prime256v1 -genkey -noout -out ca.key`);
    this.#openssl(`req -x509 -new -key ca.key -subj /CN=${name} -days 10 -out ca.crt`);
    this.certificate = this.#read('ca.crt');
  }

  sign(name: string): Made {
    this.#openssl(`ecparam -name prime256v1 -genkey -noout -out ${name}.key`);
    this.#openssl(`req -new -key ${name}.key -subj /CN=${name} -out ${name}.csr`);
    this.#openssl(`x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 10 -out ${name}.crt`);
    return { certificate: this.#read(`${name}.crt`), key: this.#read(`${name}.key`) };
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #read(name: string): string {
    return readFileSync(join(this.#root, name), 'utf8');
  }

  #openssl(args: string): void {
    execFileSync('openssl', args.split(' '), { cwd: this.#root, stdio: 'pipe' });
  }
}
