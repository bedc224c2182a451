import { parentPort, workerData } from 'node:worker_threads';
import { BUILD } from '../../../build.js';
import { serveConnections } from './switchboard.js';

// What runs in the thread of the SSH connections; `SshThread` starts it.
const { build } = (workerData ?? {}) as { build?: string };
if (build !== undefined && build !== BUILD) {
  throw new Error(`the files of kubewright ${build} are now those of ${BUILD}: start the worker anew`);
}
if (parentPort !== null) serveConnections(parentPort);
