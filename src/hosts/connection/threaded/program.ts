import { parentPort } from 'node:worker_threads';
import { serveConnections } from './switchboard.js';

// What runs in the thread of the SSH connections; `SshThread` starts it.
if (parentPort !== null) serveConnections(parentPort);
