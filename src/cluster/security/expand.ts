import type { ExtraArg } from '../types.js';
import { ADMISSION_PATH, AUDIT_POLICY_PATH, AUTHENTICATION_PATH, ENCRYPTION_PATH } from './paths.js';
import { KERNEL_DEFAULTS } from './profile.js';
import type { SecurityLines } from './settings.js';

/** What the lines come to for the programs: flags by component, settings of the kubelet, sysctls. */
export interface Expansion {
  flags: Record<'apiServer' | 'controllerManager' | 'scheduler' | 'etcd', ExtraArg[]>;
  kubelet: Record<string, unknown>;
  sysctls: Record<string, string>;
}

/** Computes them; pure. A flag that the file sets itself is left out later, see `withDerived`. */
export function expand(lines: SecurityLines): Expansion {
  const { tls = {}, protectKernelDefaults, profiling, benchmark } = lines;
  const served: Record<string, string> = profiling === undefined ? {} : { profiling: String(profiling) };
  return {
    flags: {
      apiServer: listOf({
        ...apiServer(lines),
        ...tlsFlags(tls),
        ...served,
        ...(benchmark ? BENCHMARK_API_SERVER : {}),
      }),
      controllerManager: listOf({ ...tlsFlags(tls), ...served, ...(benchmark ? BENCHMARK_CONTROLLER_MANAGER : {}) }),
      scheduler: listOf({ ...tlsFlags(tls), ...served }),
      etcd: listOf(etcdFlags(tls)),
    },
    kubelet: {
      ...kubeletTls(tls),
      ...(protectKernelDefaults === undefined ? {} : { protectKernelDefaults }),
      ...(benchmark ? BENCHMARK_KUBELET : {}),
    },
    sysctls: protectKernelDefaults ? KERNEL_DEFAULTS : {},
  };
}

/** 1.2.3, 1.2.14 and 1.2.30. The list takes the place of kubeadm's, which is NodeRestriction alone. */
const BENCHMARK_API_SERVER = {
  'enable-admission-plugins': 'NodeRestriction,DenyServiceExternalIPs',
  'service-account-extend-token-expiration': 'false',
};
/** 1.3.1: the default, written out so that somebody has decided it. */
const BENCHMARK_CONTROLLER_MANAGER = { 'terminated-pod-gc-threshold': '12500' };
/** 4.2.13 and 4.2.14. */
const BENCHMARK_KUBELET = { podPidsLimit: 4096, seccompDefault: true };

function apiServer(lines: SecurityLines): Record<string, string> {
  const { audit, anonymousAccess, secretsEncryption, kubeletServingCertificates, podSecurity } = lines;
  return {
    ...(audit === undefined
      ? {}
      : {
          'audit-policy-file': AUDIT_POLICY_PATH,
          'audit-log-path': audit.logPath,
          'audit-log-maxage': String(audit.maxAgeDays),
          'audit-log-maxbackup': String(audit.maxBackups),
          'audit-log-maxsize': String(audit.maxSizeMB),
        }),
    ...(anonymousAccess === 'health' ? { 'authentication-config': AUTHENTICATION_PATH } : {}),
    ...(secretsEncryption === undefined
      ? {}
      : {
          'encryption-provider-config': ENCRYPTION_PATH,
          // A key that is replaced is read without a restart.
          'encryption-provider-config-automatic-reload': 'true',
        }),
    ...(kubeletServingCertificates === 'cluster'
      ? { 'kubelet-certificate-authority': '/etc/kubernetes/pki/ca.crt' }
      : {}),
    ...(podSecurity === undefined ? {} : { 'admission-control-config-file': ADMISSION_PATH }),
  };
}

type Tls = NonNullable<SecurityLines['tls']>;

function tlsFlags({ minVersion, cipherSuites = [] }: Tls): Record<string, string> {
  return {
    ...(minVersion === undefined ? {} : { 'tls-min-version': goVersion(minVersion) }),
    ...(cipherSuites.length === 0 ? {} : { 'tls-cipher-suites': cipherSuites.join(',') }),
  };
}

/** etcd has its own names for the same (etcd 3.5 and later). */
function etcdFlags({ minVersion, cipherSuites = [] }: Tls): Record<string, string> {
  return {
    ...(minVersion === undefined ? {} : { 'tls-min-version': `TLS${minVersion}` }),
    ...(cipherSuites.length === 0 ? {} : { 'cipher-suites': cipherSuites.join(',') }),
  };
}

function kubeletTls({ minVersion, cipherSuites = [] }: Tls): Record<string, unknown> {
  return {
    ...(minVersion === undefined ? {} : { tlsMinVersion: goVersion(minVersion) }),
    ...(cipherSuites.length === 0 ? {} : { tlsCipherSuites: cipherSuites }),
  };
}

function goVersion(version: '1.2' | '1.3'): string {
  return `VersionTLS${version.replace('.', '')}`;
}

function listOf(flags: Record<string, string>): ExtraArg[] {
  return Object.entries(flags).map(([name, value]) => ({ name, value }));
}

/** The file's own flags, and those of the lines that it does not set itself. */
export function withDerived<Arg extends { name: string | undefined }>(
  own: Arg[],
  derived: ExtraArg[],
): (Arg | ExtraArg)[] {
  return [...derived.filter(({ name }) => !own.some((arg) => arg.name === name)), ...own];
}
