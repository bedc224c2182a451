/** Which level of the Pod Security Standards is asked for. */
export type PodSecurityLevel = 'privileged' | 'baseline' | 'restricted';

/** What becomes of the audit log. */
export interface AuditSettings {
  /** The user's own policy; null: Kubewright's. */
  policy: string | null;
  logPath: string;
  maxAgeDays: number;
  maxBackups: number;
  maxSizeMB: number;
}

/** Defaults of namespaces that have no labels of their own. */
export interface PodSecuritySettings {
  enforce: PodSecurityLevel;
  audit: PodSecurityLevel;
  warn: PodSecurityLevel;
  /** kube-system and the pod network's among them. */
  exemptNamespaces: string[];
}

/** Certificates that kubeadm makes; a key that is absent is kubeadm's, or Kubewright's, own. */
export interface CertificateSettings {
  algorithm?: 'ECDSA-P256' | 'RSA-2048' | 'RSA-3072' | 'RSA-4096';
  validityDays?: number;
  caValidityDays?: number;
}

/**
 * `spec.security`, resolved: what steps and generated files have to know of it; a line that is absent asks for nothing. What a
 * line sets as a flag, a setting of the kubelet or a sysctl stands where the file's own flags, settings and sysctls do, so
 * that whoever renders or compares those needs to know nothing of hardening.
 */
export interface SecuritySettings {
  audit?: AuditSettings;
  anonymousAccess?: 'health';
  secretsEncryption?: 'secretbox' | 'aescbc';
  kubeletServingCertificates?: 'cluster';
  podSecurity?: PodSecuritySettings;
  certificates?: CertificateSettings;
  filePermissions?: 'strict';
}

/** Every line as the file and its profile say it, before it becomes anything. */
export interface SecurityLines extends SecuritySettings {
  tls?: { minVersion?: '1.2' | '1.3'; cipherSuites?: string[] };
  protectKernelDefaults?: boolean;
  profiling?: boolean;
  /** Flags of the CIS benchmark that no line is about. */
  benchmark?: true;
}
