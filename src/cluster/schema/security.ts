import { z } from 'zod';
import { flag, hostPath, integer, localPath, nodeName, text, wrong } from './forms.js';
import { optional, section } from './keys.js';

/** Levels of the Pod Security Standards. */
const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
const level = () => z.enum(LEVELS, wrong(LEVELS.join(', ')));

export const PROFILES = ['none', 'cis'] as const;

export const hardening = optional(
  z.enum(PROFILES, wrong(PROFILES.join(' or '))),
  'cis: every line of "security" gets the value that the CIS Kubernetes Benchmark asks for, and flags of the benchmark that no line is about are set. What the file says wins, line by line and flag by flag.',
  'none',
);

const audit = z.strictObject(
  {
    policy: optional(
      localPath('./audit-policy.yaml'),
      'default: a policy that logs who did what, and never what is in Secrets, ConfigMaps and tokens. Or a file of your own; none: no audit log.',
      'none, with hardening: cis default',
    ),
    logPath: optional(
      hostPath('/var/log/kubernetes/audit/audit.log'),
      'The log, on each control plane.',
      '/var/log/kubernetes/audit/audit.log',
    ),
    maxAgeDays: optional(integer('days from 1 to 3650', 1, 3_650), 'How long rotated logs are kept.', 30),
    maxBackups: optional(integer('a number from 1 to 1000', 1, 1_000), 'How many rotated logs are kept.', 10),
    maxSizeMB: optional(integer('megabytes from 1 to 10000', 1, 10_000), 'Size at which the log is rotated.', 100),
  },
  wrong('a map such as { policy: default }'),
);

const tls = z.strictObject(
  {
    minVersion: optional(
      text('"1.2" or "1.3"', /^1\.[23]$/),
      'Oldest TLS that API server, controller manager, scheduler, etcd and kubelets speak, in quotes. Left out: as these programs do (1.2).',
    ),
    cipherSuites: section(
      z.array(
        text('a name such as TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', /^TLS_[A-Z0-9_]{4,80}$/),
        wrong('a list of names'),
      ),
      "Cipher suites of TLS 1.2, by Go's names; those of 1.3 cannot be chosen. Left out: as these programs do.",
    ),
  },
  wrong('a map with minVersion and cipherSuites'),
);

const podSecurity = z.strictObject(
  {
    enforce: optional(
      level(),
      'Pods that break this level are refused, in namespaces without a label of their own.',
      'privileged, with hardening: cis baseline',
    ),
    audit: optional(
      level(),
      'Pods that break this level are marked in the audit log.',
      'as enforce, with hardening: cis restricted',
    ),
    warn: optional(
      level(),
      'Who makes a pod that breaks this level is warned.',
      'as enforce, with hardening: cis restricted',
    ),
    exemptNamespaces: section(
      z.array(nodeName(), wrong('a list of names of namespaces')),
      "Namespaces to which none of this applies, besides kube-system and the pod network's.",
      [],
    ),
  },
  wrong('a map such as { enforce: baseline }'),
);

const certificates = z.strictObject(
  {
    algorithm: optional(
      z.enum(['ECDSA-P256', 'RSA-2048', 'RSA-3072', 'RSA-4096'], wrong('ECDSA-P256, RSA-2048, RSA-3072 or RSA-4096')),
      'Keys of all certificates that kubeadm makes.',
      'ECDSA-P256',
    ),
    validityDays: optional(integer('days from 1 to 3650', 1, 3_650), 'How long certificates are valid.', 365),
    caValidityDays: optional(
      integer('days from 30 to 36500', 30, 36_500),
      'How long certificate authorities are valid.',
      3650,
    ),
  },
  wrong('a map with algorithm, validityDays and caValidityDays'),
);

export const security = section(
  z.strictObject(
    {
      audit: section(audit, 'Audit log of the API servers.'),
      anonymousAccess: optional(
        z.enum(['all', 'health'], wrong('all or health')),
        'Who asks the API without a login. health: only /livez, /readyz and /healthz answer (AuthenticationConfiguration). all: as Kubernetes does.',
        'all, with hardening: cis health',
      ),
      tls: section(tls, 'TLS of all components.'),
      secretsEncryption: optional(
        z.enum(['none', 'secretbox', 'aescbc'], wrong('none, secretbox or aescbc')),
        'Secrets in etcd are encrypted. The key is made on the first control plane and is on every control plane: back it up.',
        'none, with hardening: cis secretbox',
      ),
      kubeletServingCertificates: optional(
        z.enum(['self-signed', 'cluster'], wrong('self-signed or cluster')),
        "cluster: kubelets serve with certificates of the cluster's CA, which API servers check. Install approves each request after it has checked name and address.",
        'self-signed, with hardening: cis cluster',
      ),
      podSecurity: section(podSecurity, 'Pod Security admission, for namespaces without labels of their own.'),
      certificates: section(certificates, 'Certificates that kubeadm makes.'),
      protectKernelDefaults: optional(
        flag(),
        'Kubelets refuse to run with other kernel settings than they expect; these settings are set, too.',
        'false, with hardening: cis true',
      ),
      profiling: optional(
        flag(),
        'Whether API server, controller manager and scheduler serve profiles of themselves.',
        'true, with hardening: cis false',
      ),
      filePermissions: optional(
        z.enum(['default', 'strict'], wrong('default or strict')),
        "strict: the kubelet's configuration and unit are root's alone (0600).",
        'default, with hardening: cis strict',
      ),
    },
    wrong('a map with audit, anonymousAccess, tls …'),
  ),
  'Hardening, line by line. What a line sets as flags, settings and sysctls can be overridden where those stand.',
);
