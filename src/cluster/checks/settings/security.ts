import type { Path } from '../../path.js';
import { valueAt } from '../../path.js';
import type { Report } from '../../report.js';
import type { Sketch } from '../../resolve/draft.js';
import { ADMISSION_PATH, AUDIT_POLICY_PATH, AUTHENTICATION_PATH, ENCRYPTION_PATH } from '../../security/paths.js';
import type { Cluster } from '../../types.js';
import { parseYaml } from '../../yaml/document.js';
import type { Check } from '../index.js';
import { flagPath } from './flags.js';

const SECURITY: Path = ['spec', 'security'];
const API_SERVER: Path = ['spec', 'kubernetes', 'apiServer'];

/** What the lines of `security` cannot stand beside, and what would end a component minutes later. */
export const checkSecurity: Check = (cluster, report) => {
  checkAnonymousAccess(cluster, report);
  checkFileFlags(cluster, report);
  checkAuditPolicy(cluster, report);
  checkCiphers(report);
};

/** kube-apiserver ends at its start where one of these stands beside --authentication-config. */
function checkAnonymousAccess({ kubernetes, security }: Sketch<Cluster>, report: Report): void {
  if (security?.anonymousAccess !== 'health') return;
  for (const { name } of kubernetes.apiServer.extraArgs) {
    if (name === undefined || !(name === 'anonymous-auth' || name.startsWith('oidc-'))) continue;
    report.error(flagPath(API_SERVER, name, report), 'authentication-flags', {
      message:
        'the API server takes no such flag beside an AuthenticationConfiguration, and anonymousAccess: health makes one',
      expected:
        'security.anonymousAccess: all; or the issuer in an AuthenticationConfiguration of your own: kubernetes.files, with the flag authentication-config',
      found: '',
      at: 'key',
    });
  }
}

/** Flags that name a file which a line generates: who writes both has two opinions. */
const FILE_FLAGS: { line: string; flag: string; path: string }[] = [
  { line: 'anonymousAccess', flag: 'authentication-config', path: AUTHENTICATION_PATH },
  { line: 'secretsEncryption', flag: 'encryption-provider-config', path: ENCRYPTION_PATH },
  { line: 'podSecurity', flag: 'admission-control-config-file', path: ADMISSION_PATH },
  { line: 'audit', flag: 'audit-policy-file', path: AUDIT_POLICY_PATH },
];

function checkFileFlags({ kubernetes, security = {} }: Sketch<Cluster>, report: Report): void {
  for (const { line, flag, path } of FILE_FLAGS) {
    const own = kubernetes.apiServer.extraArgs.findLast(({ name }) => name === flag)?.value;
    if (own === undefined || own === path || (security as Record<string, unknown>)[line] === undefined) continue;
    const off = { anonymousAccess: 'all', secretsEncryption: 'none', podSecurity: 'none', audit: '{ policy: none }' };
    const place = flagPath(API_SERVER, flag, report);
    const message = `security.${line} is about this file too, and would be without effect`;
    if (line === 'podSecurity') {
      // A file of admission control may hold more than Pod Security, so it stands, and says all there is.
      report.warn(place, 'line-without-effect', {
        message,
        expected: 'Pod Security in that file',
        found: '',
        at: 'key',
      });
      continue;
    }
    report.error(place, 'line-and-flag', {
      message,
      expected: `one of both: security.${line}: ${off[line as keyof typeof off]}, or no such flag`,
      found: '',
      at: 'key',
    });
  }
}

function checkAuditPolicy({ security }: Sketch<Cluster>, report: Report): void {
  const policy = security?.audit?.policy;
  if (typeof policy !== 'string') return;
  const { document } = parseYaml(policy, 'policy');
  const rules = valueAt(document?.value, ['rules']);
  const isPolicy =
    valueAt(document?.value, ['apiVersion']) === 'audit.k8s.io/v1' &&
    valueAt(document?.value, ['kind']) === 'Policy' &&
    Array.isArray(rules) &&
    rules.length > 0;
  if (isPolicy) return;
  report.error([...SECURITY, 'audit', 'policy'], 'audit-policy', {
    message: 'this file is no audit policy, and the API server would end at its start',
    expected: 'apiVersion: audit.k8s.io/v1, kind: Policy and at least one rule',
  });
}

/** Without one of these Go serves no HTTP/2 over TLS 1.2 (RFC 7540, 9.2.2): the API server ends at its start. */
const HTTP2 = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'];

/** Go's crypto/tls: those of TLS 1.2 that are not called insecure. */
const KNOWN =
  /^TLS_ECDHE_(ECDSA|RSA)_WITH_(AES_(128|256)_CBC_SHA|AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256)$/;

function checkCiphers(report: Report): void {
  const place = [...SECURITY, 'tls', 'cipherSuites'];
  const suites = valueAt(report.document.value, place);
  if (!Array.isArray(suites) || suites.length === 0) return;
  if (valueAt(report.document.value, [...SECURITY, 'tls', 'minVersion']) === '1.3') {
    report.error(place, 'cipher-suites', {
      message: 'suites of TLS 1.3 cannot be chosen, and etcd ends where some are named beside it',
      expected: 'no cipherSuites, or minVersion: "1.2"',
      at: 'key',
    });
    return;
  }
  for (const [index, suite] of suites.entries()) {
    if (typeof suite !== 'string' || KNOWN.test(suite)) continue;
    report.error([...place, index], 'cipher-suites', {
      message: 'the components know no such suite of TLS 1.2, or call it insecure',
      expected: `one such as ${HTTP2[0]}`,
    });
  }
  const algorithm = valueAt(report.document.value, [...SECURITY, 'certificates', 'algorithm']);
  const usable = HTTP2[typeof algorithm === 'string' && algorithm.startsWith('RSA') ? 1 : 0];
  if (suites.includes(usable)) return;
  report.error(place, 'cipher-suites', {
    message: 'without it there is no HTTP/2 with the keys of this cluster',
    expected: `${usable} among them`,
  });
}
