import { test } from 'vitest';
import { useClient } from '../client.js';
import { hasProgram, needsOpenssh } from './sshd.js';

// Every test of a connection, by the system's `ssh`.
useClient('openssh');
if (hasProgram('ssh')) await import('../connection.test.js');
else test('the tests of connection.test.ts by ssh', (context) => needsOpenssh(context, 'ssh'));
