import { test } from 'vitest';
import { useClient } from '../client.js';
import { hasProgram, needsOpenssh } from './sshd.js';

// The wait for a session, by the system's `ssh`.
useClient('openssh');
if (hasProgram('ssh')) await import('../sessions-in-use.test.js');
else test('the tests of sessions-in-use.test.ts by ssh', (context) => needsOpenssh(context, 'ssh'));
