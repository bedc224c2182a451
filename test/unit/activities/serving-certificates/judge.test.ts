import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readCertificateRequest } from '../../../../src/activities/serving-certificates/certificate-request.js';
import { objectionsTo, type SigningRequest } from '../../../../src/activities/serving-certificates/judge.js';

const host = { name: 'w-1', address: '10.88.0.21' };

/** A request as openssl makes it. */
function pemOf(subject: string, names: string, more: string[] = []): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
  const sans = names === '' ? [] : ['-addext', `subjectAltName=${names}`];
  return execFileSync('openssl', ['req', '-new', ...key, '-subj', subject, ...sans, ...more], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

const SUBJECT = '/O=system:nodes/CN=system:node:w-1';
const NAMES = 'DNS:w-1,IP:10.88.0.21';

function signing(changes: Partial<SigningRequest> = {}): SigningRequest {
  return {
    name: 'csr-abcde',
    username: 'system:node:w-1',
    groups: ['system:nodes', 'system:authenticated'],
    usages: ['digital signature', 'server auth'],
    request: pemOf(SUBJECT, NAMES),
    ...changes,
  };
}

describe('a certificate request', () => {
  it('is read as openssl writes it', () => {
    expect(readCertificateRequest(pemOf(SUBJECT, NAMES))).toEqual({
      commonNames: ['system:node:w-1'],
      organizations: ['system:nodes'],
      dnsNames: ['w-1'],
      addresses: ['10.88.0.21'],
      hasMore: false,
    });
    expect(readCertificateRequest(pemOf('/CN=x', '')).addresses).toEqual([]);
    expect(readCertificateRequest(pemOf('/CN=x', 'IP:2001:db8::1')).addresses).toEqual([
      '20010db8000000000000000000000001',
    ]);
    // A critical extension has one element more.
    expect(readCertificateRequest(pemOf('/CN=x', 'critical,DNS:a,DNS:b')).dnsNames).toEqual(['a', 'b']);
    expect(readCertificateRequest(pemOf('/CN=x/OU=y', 'DNS:a')).hasMore).toBe(true);
    expect(readCertificateRequest(pemOf('/CN=x', 'URI:https://a')).hasMore).toBe(true);
  });

  it('that is cut short anywhere is none', () => {
    const pem = pemOf(SUBJECT, NAMES);
    const base64 = pem.replace(/-----.*-----|\n/g, '');
    const der = Buffer.from(base64, 'base64');
    for (let length = 0; length < der.length; length += 7) {
      const short = der.subarray(0, length).toString('base64');
      const text = `-----BEGIN CERTIFICATE REQUEST-----\n${short}\n-----END CERTIFICATE REQUEST-----\n`;
      expect(objectionsTo(signing({ request: text }), host), `${length} bytes`).not.toEqual([]);
    }
  });
});

describe("a kubelet's request is approved", () => {
  it.each([
    ['both', NAMES],
    ['the name alone', 'DNS:w-1'],
    ['the address alone', 'IP:10.88.0.21'],
  ])('when it asks for its name and address: %s', (_, names) => {
    expect(objectionsTo(signing({ request: pemOf(SUBJECT, names) }), host)).toEqual([]);
  });

  it.each<[string, string, Partial<SigningRequest>]>([
    ['sent by another node', 'has sent it', { username: 'system:node:w-2' }],
    ['sent by a person', 'has sent it', { username: 'kubernetes-admin' }],
    ['whose sender is in no group of nodes', 'not in system:nodes', { groups: ['system:authenticated'] }],
    ['for another node', 'its subject', { request: pemOf('/O=system:nodes/CN=system:node:cp-1', NAMES) }],
    ['for masters', 'its organization', { request: pemOf('/O=system:masters/CN=system:node:w-1', NAMES) }],
    [
      'of two organizations',
      'its organization',
      { request: pemOf('/O=system:nodes/O=system:masters/CN=system:node:w-1', NAMES) },
    ],
    ['of two names', 'its subject', { request: pemOf('/O=system:nodes/CN=system:node:w-1/CN=kubernetes', NAMES) }],
    ['for the virtual IP', '10.88.0.100', { request: pemOf(SUBJECT, `${NAMES},IP:10.88.0.100`) }],
    ["for the API's name", 'kubernetes', { request: pemOf(SUBJECT, `${NAMES},DNS:kubernetes`) }],
    ['for a wildcard', '*.w-1', { request: pemOf(SUBJECT, `${NAMES},DNS:*.w-1`) }],
    ['with a URI', 'more than names', { request: pemOf(SUBJECT, `${NAMES},URI:spiffe://x`) }],
    ['with an e-mail address', 'more than names', { request: pemOf(SUBJECT, `${NAMES},email:a@example.org`) }],
    ['without names', 'no name', { request: pemOf(SUBJECT, '') }],
    ['for clients', 'client auth', { usages: ['digital signature', 'server auth', 'client auth'] }],
    ['for no server', 'not for serving', { usages: ['digital signature'] }],
    ['that is none', 'cannot be read', { request: 'hello' }],
  ])('and not one %s', (_, objection, changes) => {
    expect(objectionsTo(signing(changes), host).join('\n')).toContain(objection);
  });
});
