import type { Path } from '../../path.js';
import { valueAt } from '../../path.js';
import type { Report } from '../../report.js';
import type { Check } from '../index.js';

/**
 * The plan is the input of a workflow, and stays in Temporal's history in clear: a secret in it would be there for everyone
 * who may look. Whole names only, so that `tokenTTL` and `authentication` pass; `auth` and `identitytoken` are containerd's.
 */
const SECRET_KEYS =
  /^(pass|passwd|password|passphrase|secret|token|auth|identity-?token|api-?key|private-?key|client-?secret|access-?key|secret-?key)$/i;
/** A private key in PEM. */
export const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** Where free-form text can stand. */
const FREE: Path[] = [
  ['spec', 'kubernetes', 'kubelet', 'config'],
  ['spec', 'kubernetes', 'kubeProxy', 'config'],
  ['spec', 'runtime', 'config'],
  ['spec', 'network', 'backend'],
];

/** No secret in the parts of the file that are handed on as they are. */
export const checkSecrets: Check = (cluster, report) => {
  for (const path of FREE) search(valueAt(report.document.value, path), path, report);
  for (const [index, patch] of cluster.kubernetes.patches.entries()) {
    if (!PRIVATE_KEY.test(patch.content ?? '')) continue;
    complain(
      ['spec', 'kubernetes', 'patchesDirectory'],
      `the patch ${patch.name ?? index} holds a private key`,
      report,
    );
  }
};

function search(value: unknown, path: Path, report: Report): void {
  const key = path.at(-1);
  if (typeof value === 'string') {
    if (PRIVATE_KEY.test(value)) complain(path, 'this is a private key', report);
    else if (typeof key === 'string' && SECRET_KEYS.test(key) && value !== '')
      complain(path, 'this is a secret', report);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) for (const [index, item] of value.entries()) search(item, [...path, index], report);
  else for (const [name, item] of Object.entries(value)) search(item, [...path, name], report);
}

function complain(path: Path, what: string, report: Report): void {
  report.error(path, 'secret-in-file', {
    message: `${what}: what stands in this file is kept in the workflow's history in clear`,
    expected: 'a file on the hosts that only root can read, put there apart',
    found: '',
  });
}
