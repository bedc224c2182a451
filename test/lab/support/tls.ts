import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

export interface Tls {
  key: Buffer;
  cert: Buffer;
  /** The authority's certificate, PEM. */
  caFile: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A certificate for an address, by an authority of its own that no machine trusts. Their files come into the folder. */
export async function tlsFor(address: string, folder: string): Promise<Tls> {
  const at = (name: string): string => join(folder, name);
  const authority = ['-subj', '/CN=An authority of ours', '-addext', 'basicConstraints=critical,CA:TRUE'];
  const made = ['-keyout', at('ca.key'), '-out', at('ca.pem')];
  await execa('openssl', ['req', '-x509', '-days', '2', ...KEY, ...authority, ...made]);
  const subject = ['-subj', '/CN=server', '-addext', `subjectAltName=IP:${address}`];
  await execa('openssl', ['req', ...KEY, ...subject, '-keyout', at('key.pem'), '-out', at('server.csr')]);
  const sign = ['-req', '-in', at('server.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'];
  await execa('openssl', ['x509', ...sign, '-days', '2', '-copy_extensions', 'copy', '-out', at('server.pem')]);
  return { key: await readFile(at('key.pem')), cert: await readFile(at('server.pem')), caFile: at('ca.pem') };
}
