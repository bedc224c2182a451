import { useClient } from '../unit/hosts/client.js';

// Every test of connections on real hosts, by the system's `ssh`.
useClient('openssh');
await import('./connections.test.js');
