import { useThread } from '../client.js';

// Every test of a broken connection, with the connections in a thread of their own.
await useThread();
await import('../connection.test.js');
