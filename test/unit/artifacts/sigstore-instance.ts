import { createHash, createPublicKey, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { OriginServer } from './origin-server.js';

/** A key pair for a log, and what logs are known by. */
interface Log {
  key: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  spki: Buffer;
  id: Buffer;
}

function newLog(): Log {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return { key: privateKey, spki, id: createHash('sha256').update(spki).digest() };
}

export interface Signer {
  subject: string;
  issuer: string;
}

export interface Proof {
  /** Base64. */
  signature: string;
  /** PEM. */
  certificate: string;
  entry: {
    body: string;
    integratedTime: number;
    logID: string;
    logIndex: number;
    signedEntryTimestamp: string;
  };
}

/** What of a signature shall not be as it should. */
export interface Fault {
  /** Seconds after the certificate was issued; it is good for ten minutes. */
  signedAfter?: number;
  /** The certificate is in no certificate log. */
  noSct?: boolean;
}

/** A Sigstore of our own: an authority, a certificate log and a transparency log, with its trusted root. */
export class SigstoreInstance {
  private readonly rekor = newLog();
  private readonly ctfe = newLog();
  /** What the log was told of. */
  private readonly entries = new Map<string, Proof['entry']>();
  private count = 0;

  private constructor(private readonly folder: string) {}

  /** @param folder an empty place; `sigstore-trusted-root.json` is written to it */
  static async create(folder: string): Promise<SigstoreInstance> {
    const instance = new SigstoreInstance(folder);
    await mkdir(instance.at('newcerts'));
    await writeFile(instance.at('index.txt'), '');
    const ext = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign'];
    const files = ['-keyout', instance.at('ca.key'), '-out', instance.at('ca.pem')];
    await execa('openssl', ['req', '-x509', ...newKey, '-days', '3650', '-subj', '/O=sigstore.test', ...ext, ...files]);
    await writeFile(instance.at('sigstore-trusted-root.json'), JSON.stringify(await instance.trustedRoot()));
    return instance;
  }

  private at(name: string): string {
    return join(this.folder, name);
  }

  private async trustedRoot(): Promise<unknown> {
    const validFor = { start: '2020-01-01T00:00:00Z' };
    const authority = {
      uri: 'https://fulcio.test',
      validFor,
      subject: { organization: 'sigstore.test', commonName: '' },
    };
    const log = (baseUrl: string, { spki, id }: Log): unknown => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: spki.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
      logId: { keyId: id.toString('base64') },
    });
    const certificates = [{ rawBytes: (await this.derOf('ca.pem')).toString('base64') }];
    return {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [log('https://rekor.test', this.rekor)],
      ctlogs: [log('https://ctfe.test', this.ctfe)],
      certificateAuthorities: [{ ...authority, certChain: { certificates } }],
      timestampAuthorities: [],
    };
  }

  private async derOf(name: string): Promise<Buffer> {
    const { stdout } = await execa('openssl', ['x509', '-in', this.at(name), '-outform', 'DER'], {
      encoding: 'buffer',
    });
    return Buffer.from(stdout);
  }

  /** Signs as somebody who has logged in: with a new key, a certificate for it, and an entry in the log. */
  async sign(content: Buffer, signer: Signer, { signedAfter = 60, noSct = false }: Fault = {}): Promise<Proof> {
    const issued = new Date();
    issued.setMilliseconds(0);
    const subject = ['-subj', '/', '-keyout', this.at('leaf.key'), '-out', this.at('leaf.csr')];
    await execa('openssl', ['req', ...newKey, ...subject]);
    this.count += 1;
    const plain = await this.issue(signer, issued);
    const certificate = noSct ? plain : await this.issue(signer, issued, await this.sctOf(issued));
    const key = await readFile(this.at('leaf.key'), 'utf8');
    const signature = createSign('sha256').update(content).sign(key, 'base64');
    const entry = this.record(content, signature, certificate, Math.floor(issued.getTime() / 1000) + signedAfter);
    this.entries.set(keyOf(JSON.parse(Buffer.from(entry.body, 'base64').toString())), entry);
    return { signature, certificate, entry };
  }

  /** The same serial number and dates give the same certificate, but for what is added to it. */
  private async issue({ subject, issuer }: Signer, issued: Date, sct?: Buffer): Promise<string> {
    const lines = [
      '[ca]\ndefault_ca=own\n[own]',
      `database=${this.at('index.txt')}\nnew_certs_dir=${this.at('newcerts')}\nserial=${this.at('serial')}`,
      'default_md=sha256\npolicy=any\nunique_subject=no\nx509_extensions=leaf\n[any]\ncommonName=optional\n[leaf]',
      'keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nauthorityKeyIdentifier=keyid',
      `subjectAltName=critical,${subject.startsWith('https://') ? 'URI' : 'email'}:${subject}`,
      `1.3.6.1.4.1.57264.1.1=DER:${Buffer.from(issuer).toString('hex')}`,
      ...(sct ? [`1.3.6.1.4.1.11129.2.4.2=DER:${sct.toString('hex')}`] : []),
    ];
    await writeFile(this.at('ca.cnf'), `${lines.join('\n')}\n`);
    await writeFile(this.at('serial'), `${(0x1000 + this.count).toString(16)}\n`);
    await writeFile(this.at('index.txt'), '');
    const stamp = (date: Date): string => `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
    const dates = ['-startdate', stamp(issued), '-enddate', stamp(new Date(issued.getTime() + 600_000))];
    const files = ['-in', this.at('leaf.csr'), '-out', this.at('leaf.pem'), '-cert', this.at('ca.pem')];
    const config = ['-config', this.at('ca.cnf'), '-keyfile', this.at('ca.key')];
    await execa('openssl', ['ca', '-batch', '-notext', ...config, ...dates, ...files]);
    return readFile(this.at('leaf.pem'), 'utf8');
  }

  /** RFC 6962, section 3.2 and 3.3: a signed promise over the certificate as it is without the promise. */
  private async sctOf(issued: Date): Promise<Buffer> {
    const tbs = tbsOf(await this.derOf('leaf.pem'));
    const authority = createPublicKey(await readFile(this.at('ca.pem'))).export({ type: 'spki', format: 'der' });
    const time = number(BigInt(issued.getTime()), 8);
    const signed = Buffer.concat([
      Buffer.from([0, 0]),
      time,
      number(1, 2),
      createHash('sha256').update(authority).digest(),
      number(tbs.length, 3),
      tbs,
      number(0, 2),
    ]);
    const signature = sign('sha256', signed, this.ctfe.key);
    // Version 1; SHA-256 and ECDSA are 4 and 3.
    const head = [Buffer.from([0]), this.ctfe.id, time, number(0, 2), Buffer.from([4, 3])];
    const sct = Buffer.concat([...head, number(signature.length, 2), signature]);
    const list = Buffer.concat([number(sct.length + 2, 2), number(sct.length, 2), sct]);
    // An OCTET STRING in the extension's own one.
    const length = list.length < 128 ? [list.length] : [0x81, list.length];
    return Buffer.concat([Buffer.from([0x04, ...length]), list]);
  }

  private record(content: Buffer, signature: string, certificate: string, integratedTime: number): Proof['entry'] {
    const publicKey = { content: Buffer.from(certificate).toString('base64') };
    const value = createHash('sha256').update(content).digest('hex');
    const spec = { data: { hash: { algorithm: 'sha256', value } }, signature: { content: signature, publicKey } };
    const record = JSON.stringify({ apiVersion: '0.0.1', kind: 'hashedrekord', spec });
    const body = Buffer.from(record).toString('base64');
    // In the order of their names: that is the canonical form.
    const entry = { body, integratedTime, logID: this.rekor.id.toString('hex'), logIndex: this.count };
    const signedEntryTimestamp = sign('sha256', Buffer.from(JSON.stringify(entry)), this.rekor.key).toString('base64');
    return { ...entry, signedEntryTimestamp };
  }

  /** Answers a question for an entry as the log's API does; to be put into the server under the log's path. */
  answer(question: string): string {
    const { entries } = JSON.parse(question) as { entries: HashedRecord[] };
    const found = entries[0] && this.entries.get(keyOf(entries[0]));
    if (!found) return '[]';
    const { signedEntryTimestamp, ...entry } = found;
    return JSON.stringify([{ '24296fb24b8ad77a': { ...entry, verification: { signedEntryTimestamp } } }]);
  }

  /** The log loses what it was told of. */
  forget(): void {
    this.entries.clear();
  }

  /** Serves the log's API. */
  serve(server: OriginServer, path: string): void {
    server.files.set(path, Buffer.alloc(0));
    server.intervene(path, (request, response) => {
      let question = '';
      request.on('data', (chunk) => {
        question += chunk;
      });
      request.on('end', () => response.writeHead(200).end(this.answer(question)));
      return true;
    });
  }
}

interface HashedRecord {
  kind: string;
  apiVersion: string;
  spec: { data: { hash: { value: string } }; signature: { content: string; publicKey: { content: string } } };
}

/** The log finds an entry by all that is in it. */
function keyOf({ kind, apiVersion, spec: { data, signature } }: HashedRecord): string {
  return [kind, apiVersion, data.hash.value, signature.content, signature.publicKey.content].join(' ');
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function number(value: number | bigint, bytes: number): Buffer {
  return Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(bytes * 2, '0'),
    'hex',
  );
}

/** The first part of a certificate, which is what is signed: DER of a sequence in a sequence. */
function tbsOf(der: Buffer): Buffer {
  const header = (at: number): { head: number; length: number } => {
    const first = der[at + 1] ?? 0;
    if (first < 128) return { head: 2, length: first };
    const count = first & 127;
    return { head: 2 + count, length: der.readUIntBE(at + 2, count) };
  };
  const start = header(0).head;
  const { head, length } = header(start);
  return der.subarray(start, start + head + length);
}
