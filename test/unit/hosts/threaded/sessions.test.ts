import { useThread } from '../client.js';

// Every test of few sessions, with the connections in a thread of their own.
await useThread();
await import('../sessions.test.js');
