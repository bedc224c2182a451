import { test } from 'vitest';
import { useClient } from '../client.js';
import { hasProgram, needsOpenssh } from './sshd.js';

// Every test of a command, by the system's `ssh`.
useClient('openssh');
if (hasProgram('ssh')) await import('../command.test.js');
else test('the tests of command.test.ts by ssh', (context) => needsOpenssh(context, 'ssh'));
