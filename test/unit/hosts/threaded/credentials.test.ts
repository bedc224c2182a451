import { useThread } from '../client.js';

// Every test of credentials, with the connections in a thread of their own.
await useThread();
await import('../credentials.test.js');
