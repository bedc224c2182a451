import { test } from 'vitest';
import { useClient } from '../client.js';
import { hasProgram, needsOpenssh } from './sshd.js';

// Every test of keys, agents and sudo, by the system's `ssh`.
useClient('openssh');
if (hasProgram('ssh')) await import('../credentials.test.js');
else test('the tests of credentials.test.ts by ssh', (context) => needsOpenssh(context, 'ssh'));
