import type { PodSecuritySettings, SecurityLines } from './settings.js';

/** Lines of which a profile says something. */
interface CisLines extends Omit<SecurityLines, 'podSecurity' | 'tls'> {
  tls: { minVersion: '1.2'; cipherSuites: readonly string[] };
  podSecurity: Pick<PodSecuritySettings, 'enforce' | 'audit' | 'warn'>;
}

/**
 * Suites that both lists of kube-bench take (cfg/cis-1.12: 1.2.29 and 4.2.12), by names that every component knows. With
 * ECDSA keys the first two are used; the others serve clusters with RSA keys.
 */
export const STRONG_CIPHERS = [
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
];

export const AUDIT_DEFAULTS = {
  policy: null,
  logPath: '/var/log/kubernetes/audit/audit.log',
  maxAgeDays: 30,
  maxBackups: 10,
  maxSizeMB: 100,
};

/** What `hardening: cis` says where the file says nothing. CIS Kubernetes Benchmark 1.12, as kube-bench checks it. */
export const CIS = {
  anonymousAccess: 'health',
  tls: { minVersion: '1.2', cipherSuites: STRONG_CIPHERS },
  // aescbc and aesgcm are older, and a key of aesgcm has to be replaced after 200 000 writes.
  secretsEncryption: 'secretbox',
  kubeletServingCertificates: 'cluster',
  podSecurity: { enforce: 'baseline', audit: 'restricted', warn: 'restricted' },
  protectKernelDefaults: true,
  profiling: false,
  filePermissions: 'strict',
} as const satisfies CisLines;

/** Kernel settings that the kubelet wants to find with protectKernelDefaults (pkg/kubelet/cm: setupKernelTunables). */
export const KERNEL_DEFAULTS: Record<string, string> = {
  'vm.overcommit_memory': '1',
  'vm.panic_on_oom': '0',
  'kernel.panic': '10',
  'kernel.panic_on_oops': '1',
  'kernel.keys.root_maxkeys': '1000000',
  'kernel.keys.root_maxbytes': '25000000',
};

export type Profile = 'none' | 'cis';

/** Lines that a profile is about besides those of `CIS`. */
export function ofProfile(profile: Profile | undefined): Pick<SecurityLines, 'benchmark'> {
  return profile === 'cis' ? { benchmark: true } : {};
}
