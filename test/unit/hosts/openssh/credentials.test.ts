import { useClient } from '../client.js';

// Every test of keys, agents and sudo, by the system's `ssh`.
useClient('openssh');
await import('../credentials.test.js');
