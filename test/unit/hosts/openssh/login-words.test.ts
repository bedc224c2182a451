import { test } from 'vitest';
import { useClient } from '../client.js';
import { hasProgram, needsOpenssh } from './sshd.js';

// Every test of what logins print, by the system's `ssh`.
useClient('openssh');
if (hasProgram('ssh')) await import('../login-words.test.js');
else test('the tests of login-words.test.ts by ssh', (context) => needsOpenssh(context, 'ssh'));
