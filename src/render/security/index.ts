import { ADMISSION_PATH, AUDIT_POLICY_PATH, AUTHENTICATION_PATH } from '../../cluster/security/paths.js';
import type { SecuritySettings } from '../../cluster/security/settings.js';
import { renderAdmission } from './admission.js';
import { renderAuditPolicy } from './audit-policy.js';
import { renderAuthentication } from './authentication.js';

/** Files that the lines of `security` bring to the API servers, by their paths. */
export function generatedFiles({ audit, anonymousAccess, podSecurity }: SecuritySettings): GeneratedFile[] {
  return [
    ...(audit === undefined ? [] : [{ path: AUDIT_POLICY_PATH, content: audit.policy ?? renderAuditPolicy() }]),
    ...(anonymousAccess === undefined ? [] : [{ path: AUTHENTICATION_PATH, content: renderAuthentication() }]),
    ...(podSecurity === undefined ? [] : [{ path: ADMISSION_PATH, content: renderAdmission(podSecurity) }]),
  ];
}

export interface GeneratedFile {
  path: string;
  content: string;
}
