import { useThread } from '../client.js';

// Every test of a command, with the connections in a thread of their own.
await useThread();
await import('../command.test.js');
