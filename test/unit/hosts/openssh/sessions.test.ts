import { test } from 'vitest';
import { useClient } from '../client.js';
import { hasProgram, needsOpenssh } from './sshd.js';

// Every test of few sessions, by the system's `ssh`.
useClient('openssh');
if (hasProgram('ssh')) await import('../sessions.test.js');
else test('the tests of sessions.test.ts by ssh', (context) => needsOpenssh(context, 'ssh'));
