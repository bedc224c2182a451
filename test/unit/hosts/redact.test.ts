import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { OutputLines } from '../../../src/hosts/durable/lines.js';
import { knownSecrets, redact, registerMinted, registerSecret, registerSecretFile } from '../../../src/hosts/redact.js';

const TOKEN = 'abcdef.0123456789abcdef';
const HEX = '4f5b2c0d'.repeat(8);
const PEM = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs1', format: 'pem' })
  .toString();
const JWT = `eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.${'c2ln'.repeat(10)}`;

describe('is not shown', () => {
  test.each([
    ['a bootstrap token', `kubeadm join --token ${TOKEN} 10.0.0.1:6443`, TOKEN],
    ['a bare bootstrap token', TOKEN, TOKEN],
    ['a token in quotes', `{"token":"${TOKEN}"}`, TOKEN],
    ['a token after an equals sign', `--token=${TOKEN}`, TOKEN],
    ['a certificate key', `	--control-plane --certificate-key ${HEX}`, HEX],
    ['a bare certificate key', HEX, HEX],
    ['a certificate key in YAML', `certificateKey: ${HEX}`, HEX],
    ['a CA hash after its flag', `--discovery-token-ca-cert-hash sha256:${HEX}`, HEX],
    ['a bearer token', `curl -H "Authorization: Bearer ${'s3cr3t'.repeat(4)}"`, 's3cr3t'],
    ['a basic authorization', 'Authorization: Basic dXNlcjpwYXNz', 'dXNlcjpwYXNz'],
    ['a service account token', `token is ${JWT} here`, JWT],
    [
      'a key in a kubeconfig',
      `    client-key-data: ${Buffer.from(PEM).toString('base64')}`,
      'LS0tLS1CRUdJTiBQUklWQVRF',
    ],
    ['a token in a kubeconfig', `    token: some-opaque-token-value`, 'some-opaque'],
    [
      'a key in base64 in one line',
      `key=${Buffer.from(RSA).toString('base64')}`,
      Buffer.from(RSA).toString('base64').slice(100, 160),
    ],
    ['a password in YAML', 'password: hunter2hunter2', 'hunter2'],
    ['a key in one line of JSON', JSON.stringify({ key: PEM }), PEM.split('\n')[1] ?? ''],
  ])('%s', (_title, text, secret) => {
    expect(redact(text)).not.toContain(secret);
    expect(redact(text)).toContain('[redacted]');
  });

  test('a private key of several lines, whatever stands around it', () => {
    const text = redact(`before\n${PEM}after`);
    for (const line of PEM.trim().split('\n').slice(1, -1)) expect(text).not.toContain(line);
    expect(text).toMatch(/^before\n/);
    expect(text).toMatch(/\nafter$/);
  });

  test('a private key in wrapped base64', () => {
    const lines =
      Buffer.from(RSA)
        .toString('base64')
        .match(/.{1,76}/g) ?? [];
    const text = redact(`before\n${lines.join('\n')}\nafter that`);
    for (const line of lines) expect(text).not.toContain(line);
    expect(text).toContain('after that');
  });

  test('a private key whose end never came', () => {
    const text = redact(PEM.split('\n').slice(0, 2).join('\n'));
    expect(text).not.toContain(PEM.split('\n')[1]);
  });

  test('a value that this process learned, also as JSON writes it', () => {
    registerSecret('pa"ss w0rd-canary\n');
    expect(redact('it is pa"ss w0rd-canary!')).toBe('it is [redacted]!');
    expect(redact(JSON.stringify({ it: 'pa"ss w0rd-canary' }))).toBe('{"it":"[redacted]"}');
  });

  test('key material in a secret file; its ordinary lines stay readable', () => {
    const material = 'Q2FuYXJ5'.repeat(6);
    registerSecretFile(`kind: JoinConfiguration\ncaCertHash: ${material}\n`);
    registerSecretFile('single-line-canary\n');
    expect(redact(`kind: JoinConfiguration ${material} single-line-canary`)).toBe(
      'kind: JoinConfiguration [redacted] [redacted]',
    );
  });

  test('a learned value of several lines, line by line', () => {
    registerSecret('first-canary-line\nsecond-canary-line\n');
    expect(redact('x second-canary-line y')).toBe('x [redacted] y');
  });
});

describe('stays readable', () => {
  test.each([
    ['an image digest', `registry.k8s.io/pause@sha256:${HEX}`],
    ['a digest alone', `sha256:${HEX}`],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ\n-----END CERTIFICATE-----'],
    [
      'a certificate in base64',
      `certificate-authority-data: ${Buffer.from('-----BEGIN CERTIFICATE-----\nMIIB').toString('base64')}`,
    ],
    ['a commit', 'commit 0123456789abcdef0123456789abcdef01234567'],
    ['a file name with a dot', 'kubelet.service kube-apiserver.yaml 10-kubeadm.conf etcd-1.example.com'],
    ['what sudo says', 'sudo: a password is required'],
    ['what kubeadm says', '[bootstrap-token] Using token in the kube-public namespace'],
    ['a public key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHoM4GFCTWbcIrKRxDfMuDcpfdgkQGC root@cp-1'],
  ])('%s', (_title, text) => {
    expect(redact(text)).toBe(text);
  });

  test('a text that was redacted before: nothing changes', () => {
    const once = redact(`--token ${TOKEN} ${PEM}\nAuthorization: Bearer abcdefghijkl`);
    expect(redact(once)).toBe(once);
  });
});

describe('a stream', () => {
  test('is redacted in whole lines: a secret cut by a chunk is found', () => {
    const lines: string[] = [];
    const output = new OutputLines(1000, (line) => lines.push(line));
    const bytes = Buffer.from(`one\njoin --token ${TOKEN}\n${PEM}two\nlast without an end ${TOKEN}`);
    for (const byte of bytes) output.push(Buffer.from([byte]));
    expect(lines.slice(0, 2)).toEqual(['one', 'join --token [redacted]']);
    expect(output.end()).toMatch(
      /^one\njoin --token \[redacted\]\n(\[redacted\]\n)+two\nlast without an end \[redacted\]\n$/,
    );
    expect(lines.at(-1)).toBe('last without an end [redacted]');
  });

  test('keeps characters of several bytes together, and of a progress bar the last state', () => {
    const lines: string[] = [];
    const output = new OutputLines(1000, (line) => lines.push(line));
    for (const byte of Buffer.from('größe 10%\rgröße 100%\n')) output.push(Buffer.from([byte]));
    expect(lines).toEqual(['größe 100%']);
  });

  test('keeps its last lines within the limit, whole', () => {
    const output = new OutputLines(100);
    output.push(Buffer.from(Array.from({ length: 100 }, (_, index) => `line ${index}\n`).join('')));
    const tail = output.end();
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(100);
    expect(tail).toMatch(/^line \d+\n/);
    expect(tail).toMatch(/line 99\n$/);
  });
});

describe('a worker that lives for long', () => {
  test('does not look for every token that it has ever made, and forgets no password', () => {
    registerSecret('correct-horse-battery');
    for (let join = 0; join < 5_000; join += 1) registerMinted(`minted-opaque-value-${join}`);
    expect(knownSecrets()).toBeLessThan(2_100);
    expect(redact('sudo: correct-horse-battery')).toBe('sudo: [redacted]');
    expect(redact('it said minted-opaque-value-4999')).toBe('it said [redacted]');
  });

  test('still knows a token that is used again and again', () => {
    registerMinted('opaque-value-in-use');
    for (let join = 0; join < 3_000; join += 1) {
      registerMinted(`another-opaque-value-${join}`);
      if (join % 1_000 === 0) registerMinted('opaque-value-in-use');
    }
    expect(redact('it said opaque-value-in-use')).toBe('it said [redacted]');
  });
});

describe('a password of one to three characters', () => {
  test('is not shown where it stands alone, and leaves other words readable', () => {
    registerSecret('x7');
    registerSecret('$^');
    expect(redact('password x7, "x7" and $^!')).toBe('password [redacted], "[redacted]" and [redacted]!');
    expect(redact('max7 x70 linux7')).toBe('max7 x70 linux7');
    registerSecret('  ');
    expect(redact('a b')).toBe('a b');
  });
});
