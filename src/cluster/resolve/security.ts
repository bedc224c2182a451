import type { Surroundings } from '../../components/schema-types.js';
import { AUDIT_DEFAULTS, CIS, ofProfile, type Profile } from '../security/profile.js';
import type { SecurityLines, SecuritySettings } from '../security/settings.js';
import { type ClusterDraft, type INVALID, inner, isValid, pick } from './draft.js';

const specOf = (file: ClusterDraft) => inner(file, 'spec');
type SpecDraft = ReturnType<typeof specOf>;
const securityOf = (spec: SpecDraft) => inner(spec, 'security');
type SecurityDraft = ReturnType<typeof securityOf>;

/**
 * Every line: what is written, else what the profile says, else nothing. A line that is wrong in the file is left out, for
 * it has been told.
 *
 * @param namespaces of the pod network
 */
export function resolveSecurity(
  spec: SpecDraft,
  namespaces: () => string[],
  read: Surroundings['read'],
): SecurityLines {
  const security = inner(spec, 'security');
  const profile = pick(spec, 'hardening', 'none') as Profile | undefined;
  const cis = profile === 'cis';
  const line = <K extends 'anonymousAccess' | 'secretsEncryption' | 'kubeletServingCertificates' | 'filePermissions'>(
    key: K,
    off: string,
  ) => {
    const value = pick(security, key, cis ? CIS[key] : off);
    return value === undefined || value === off ? {} : { [key]: value };
  };
  const decided = <K extends 'protectKernelDefaults' | 'profiling'>(key: K) => {
    const value = pick(security, key, cis ? CIS[key] : undefined);
    return value === undefined ? {} : { [key]: value };
  };
  return {
    ...resolveAudit(security, cis, read),
    ...line('anonymousAccess', 'all'),
    ...line('secretsEncryption', 'none'),
    ...line('kubeletServingCertificates', 'self-signed'),
    ...line('filePermissions', 'default'),
    ...decided('protectKernelDefaults'),
    ...decided('profiling'),
    ...resolveTls(security, cis),
    ...resolvePodSecurity(security, cis, namespaces),
    ...resolveCertificates(security),
    ...ofProfile(profile),
  };
}

/** What stays in the cluster; nothing where no line asks for anything. */
export function settingsIn(lines: SecurityLines): { security?: SecuritySettings } {
  const { tls: _, protectKernelDefaults: __, profiling: ___, benchmark: ____, ...security } = lines;
  return Object.keys(security).length === 0 ? {} : { security };
}

function resolveAudit(security: SecurityDraft, cis: boolean, read: Surroundings['read']): Pick<SecurityLines, 'audit'> {
  const audit = inner(security, 'audit');
  const policy = pick(audit, 'policy', cis ? 'default' : 'none');
  if (policy === undefined || policy === 'none') return {};
  const place = ['spec', 'security', 'audit', 'policy'];
  return {
    audit: {
      policy: policy === 'default' ? null : (read(policy, place, undefined)?.content ?? null),
      logPath: pick(audit, 'logPath', AUDIT_DEFAULTS.logPath) ?? AUDIT_DEFAULTS.logPath,
      maxAgeDays: pick(audit, 'maxAgeDays', AUDIT_DEFAULTS.maxAgeDays) ?? AUDIT_DEFAULTS.maxAgeDays,
      maxBackups: pick(audit, 'maxBackups', AUDIT_DEFAULTS.maxBackups) ?? AUDIT_DEFAULTS.maxBackups,
      maxSizeMB: pick(audit, 'maxSizeMB', AUDIT_DEFAULTS.maxSizeMB) ?? AUDIT_DEFAULTS.maxSizeMB,
    },
  };
}

/** With 1.3 there is nothing left to choose: the profile's suites are for older versions. */
function resolveTls(security: SecurityDraft, cis: boolean): Pick<SecurityLines, 'tls'> {
  const tls = inner(security, 'tls');
  const minVersion = pick(tls, 'minVersion', cis ? CIS.tls.minVersion : undefined) as '1.2' | '1.3' | undefined;
  const fallback = cis && minVersion !== '1.3' ? CIS.tls.cipherSuites : [];
  const written: readonly (string | typeof INVALID)[] = pick(tls, 'cipherSuites', fallback) ?? fallback;
  const cipherSuites = written.filter(isValid);
  if (minVersion === undefined && cipherSuites.length === 0) return {};
  return {
    tls: {
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(cipherSuites.length === 0 ? {} : { cipherSuites }),
    },
  };
}

function resolvePodSecurity(
  security: SecurityDraft,
  cis: boolean,
  namespaces: () => string[],
): Pick<SecurityLines, 'podSecurity'> {
  const section = inner(security, 'podSecurity');
  const defaults = cis ? CIS.podSecurity : undefined;
  if (section === null && defaults === undefined) return {};
  const enforce = pick(section, 'enforce', defaults?.enforce ?? 'privileged');
  if (enforce === undefined) return {};
  const exempt = (pick(section, 'exemptNamespaces', []) ?? []).filter(isValid);
  return {
    podSecurity: {
      enforce,
      audit: pick(section, 'audit', defaults?.audit ?? enforce) ?? enforce,
      warn: pick(section, 'warn', defaults?.warn ?? enforce) ?? enforce,
      exemptNamespaces: [...new Set(['kube-system', ...namespaces(), ...exempt])].sort(),
    },
  };
}

function resolveCertificates(security: SecurityDraft): Pick<SecurityLines, 'certificates'> {
  const section = inner(security, 'certificates');
  const entries = (['algorithm', 'validityDays', 'caValidityDays'] as const)
    .map((key) => [key, pick(section, key, undefined)] as const)
    .filter(([, value]) => value !== undefined);
  return entries.length === 0 ? {} : { certificates: Object.fromEntries(entries) };
}
