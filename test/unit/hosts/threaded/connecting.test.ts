import { useThread } from '../client.js';

// Every test of the way to a host, with the connections in a thread of their own.
await useThread();
await import('../connecting.test.js');
