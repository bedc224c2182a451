import { useThread } from '../client.js';

// Every test of what logins print, with the connections in a thread of their own.
await useThread();
await import('../login-words.test.js');
