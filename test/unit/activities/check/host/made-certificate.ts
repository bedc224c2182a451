import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate that ends in so many days, and its key, by openssl. */
export function made(days: number): { certificate: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'kubewright-certificate-'));
  const [key, certificate] = ['key', 'crt'].map((name) => join(folder, name)) as [string, string];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...ec, '-subj', '/CN=x', '-days', `${days}`, '-keyout', key, '-out', certificate],
    {
      stdio: 'ignore',
    },
  );
  const pair = { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
  rmSync(folder, { recursive: true });
  return pair;
}
