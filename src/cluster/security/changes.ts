import { type KeyChanges, refused, section } from '../key-change.js';

const LINES = [
  'anonymousAccess',
  'secretsEncryption',
  'kubeletServingCertificates',
  'protectKernelDefaults',
  'profiling',
  'filePermissions',
];

/** Lines that are maps, and their keys. */
const MAPS: Record<string, string[]> = {
  audit: ['policy', 'logPath', 'maxAgeDays', 'maxBackups', 'maxSizeMB'],
  tls: ['minVersion', 'cipherSuites'],
  podSecurity: ['enforce', 'audit', 'warn', 'exemptNamespaces'],
  certificates: ['algorithm', 'validityDays', 'caValidityDays'],
};

/**
 * What becomes of an edited line: nothing, for all of them are flags, settings or files of programs that run, and those are
 * compared as such. What was found is told by the flag that differs, or by the file.
 */
export const SECURITY_CHANGES: KeyChanges = {
  'spec.hardening': refused('reconfigure'),
  'spec.security': section,
  ...Object.fromEntries(LINES.map((key) => [`spec.security.${key}`, refused('reconfigure')])),
  ...Object.fromEntries(
    Object.entries(MAPS).flatMap(([line, keys]) => [
      [`spec.security.${line}`, section],
      ...keys.map((key) => [`spec.security.${line}.${key}`, refused('reconfigure')] as const),
    ]),
  ),
};
