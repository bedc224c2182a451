import { useThread } from '../client.js';

// Every test of known_hosts, with the connections in a thread of their own.
await useThread();
await import('../known-hosts.test.js');
