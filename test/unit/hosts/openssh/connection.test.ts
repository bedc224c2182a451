import { useClient } from '../client.js';

// Every test of a connection, by the system's `ssh`.
useClient('openssh');
await import('../connection.test.js');
