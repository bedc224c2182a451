import { test } from 'vitest';
import { useClient } from '../client.js';
import { hasProgram, needsOpenssh } from './sshd.js';

// Every test of the way to a host, by the system's `ssh`.
useClient('openssh');
if (hasProgram('ssh')) await import('../connecting.test.js');
else test('the tests of connecting.test.ts by ssh', (context) => needsOpenssh(context, 'ssh'));
