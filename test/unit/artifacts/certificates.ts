import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/**
 * Makes a certificate authority, and a server certificate for `localhost` by it.
 *
 * @returns key and certificate of the server, and the authority's file
 */
export async function makeAuthority(folder: string): Promise<{ key: string; cert: string; caFile: string }> {
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]) => execa('openssl', args);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const forCa = [
    '-x509',
    '-days',
    '2',
    '-subj',
    '/CN=A mirror of ours',
    '-addext',
    'basicConstraints=critical,CA:TRUE',
  ];
  await openssl('req', ...newKey, ...forCa, '-keyout', at('ca.key'), '-out', at('ca.pem'));
  const forServer = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await openssl('req', ...newKey, ...forServer, '-keyout', at('key.pem'), '-out', at('server.csr'));
  const sign = ['-req', '-in', at('server.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'];
  await openssl('x509', ...sign, '-days', '2', '-copy_extensions', 'copy', '-out', at('server.pem'));
  const [key, cert] = await Promise.all([readFile(at('key.pem'), 'utf8'), readFile(at('server.pem'), 'utf8')]);
  return { key, cert, caFile: at('ca.pem') };
}
