import { expect, it } from 'vitest';
import { registerKeys } from '../../../../src/activities/encryption-at-rest/registered.js';
import { redact } from '../../../../src/hosts/redact.js';

it.each(['/bM2kq7', '+bM2kq7', 'bM2kq7+'])('a key that begins with %s is shown by nothing from then on', (start) => {
  const key = `${start}${'Zx9/'.repeat(9)}=`;
  const line = `error: ${key} is no key`;
  expect(redact(line)).toContain(key);
  registerKeys(`keys:\n  - name: key-1\n    secret: ${key}\n`);
  expect(redact(line)).not.toContain(key);
});
