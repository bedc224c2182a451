import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatherFacts } from '../../../../src/activities/remote-facts.js';
import type { CertificatePair } from '../../../../src/components/etcd/external/pki.js';
import { caFault, certificateFacts, pairFaults } from '../../../../src/components/etcd/external/steps/certificates.js';
import type { RemoteHost } from '../../../../src/hosts/types.js';

/** Certificates made by openssl, looked at by the very script that runs on hosts. */
let root: string;

const openssl = (args: string) => execFileSync('openssl', args.split(' '), { cwd: root, stdio: 'pipe' });

function authority(name: string): void {
  openssl(`ecparam -name prime256v1 -genkey -noout -out ${name}.key`);
  openssl(`req -x509 -new -key ${name}.key -subj /CN=${name} -days 3650 -out ${name}.crt`);
}

function certificate(name: string, days: number, signer = 'ca'): void {
  writeFileSync(join(root, 'san'), 'subjectAltName=DNS:etcd-1,IP:10.88.0.31');
  openssl(`ecparam -name prime256v1 -genkey -noout -out ${name}.key`);
  openssl(`req -new -key ${name}.key -subj /CN=${name} -out ${name}.csr`);
  openssl(
    `x509 -req -in ${name}.csr -CA ${signer}.crt -CAkey ${signer}.key -days ${days} -extfile san -out ${name}.crt`,
  );
  chmodSync(join(root, `${name}.key`), 0o600);
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kubewright-etcd-'));
  authority('ca');
  authority('other');
  certificate('server', 365);
  certificate('stranger', 365, 'other');
  certificate('old', 20);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

const local = {
  run: async (script: string) => ({ stdout: execFileSync('bash', { input: script, encoding: 'utf8' }) }),
} as unknown as RemoteHost;

async function faults(name: string, names: string[] = [], leastDays = 30, owner?: string): Promise<string[]> {
  const ca = join(root, 'ca.crt');
  const pair: CertificatePair = { base: join(root, name), names, owner };
  const facts = await gatherFacts(local, certificateFacts(ca, [pair]), new AbortController().signal);
  const found = pairFaults(facts, [pair], { ca, leastDays });
  return found.map((fault) => fault.replaceAll(`${root}/`, ''));
}

describe('a certificate counts as there', () => {
  test('when it is signed, named, valid, and fits its key', async () => {
    expect(await faults('server', ['etcd-1', '10.88.0.31'])).toEqual([]);
  });

  test.each([
    ['when it is missing', 'nobody', [], 'nobody.crt is missing'],
    ["when it is another CA's", 'stranger', [], 'stranger.crt was signed by another CA'],
    ['when it ends within a month', 'old', [], expect.stringContaining('old.crt ends on')],
    ['when it has not all names', 'server', ['etcd-2', '10.88.0.31'], 'server.crt does not name etcd-2'],
  ])('not %s', async (_, name, names, fault) => {
    expect(await faults(name, names)).toEqual([fault]);
  });

  test('that was made for a short time when it is good for long enough yet', async () => {
    expect(await faults('old', [], 10)).toEqual([]);
  });

  test('not with a key of root where its reader is another account', async () => {
    expect(await faults('server', [], 30, 'nobody')).toEqual(['server.key is not the key of server.crt']);
  });

  test('not with the key of another one, nor with a key that others may read', async () => {
    openssl('ecparam -name prime256v1 -genkey -noout -out server.key');
    chmodSync(join(root, 'server.key'), 0o600);
    expect(await faults('server')).toEqual(['server.key is not the key of server.crt']);
    certificate('server', 365);
    chmodSync(join(root, 'server.key'), 0o644);
    expect(await faults('server')).toEqual(['server.key is not the key of server.crt']);
    certificate('server', 365);
  });
});

test('a certificate that is no CA is none', () => {
  const pem = execFileSync('cat', [join(root, 'server.crt')], { encoding: 'utf8' });
  expect(caFault('/ca.crt', pem)).toContain('is no CA certificate');
  expect(caFault('/ca.crt', '')).toContain('is missing');
});
