import { test } from 'vitest';
import { useClient } from '../client.js';
import { hasProgram, needsOpenssh } from './sshd.js';

// Every test of known_hosts, by the system's `ssh`.
useClient('openssh');
if (hasProgram('ssh')) await import('../known-hosts.test.js');
else test('the tests of known-hosts.test.ts by ssh', (context) => needsOpenssh(context, 'ssh'));
