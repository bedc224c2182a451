import { useClient } from '../client.js';

// Every test of known_hosts, by the system's `ssh`.
useClient('openssh');
await import('../known-hosts.test.js');
