import type { RunWorkerOptions } from './worker.js';

/**
 * Runs a worker in this process until `signal`, SIGTERM or SIGINT, and drains it then: what `kubewright worker` does.
 * `ensureWorker` brings one in a process of its own instead. Temporal's SDK for workers is loaded here, not with the package.
 *
 * @throws KubewrightError KW502 no server answers, KW503 no such namespace, KW513 the server is gone for good
 */
export async function runWorker(options: RunWorkerOptions = {}): Promise<void> {
  const worker = await import('./worker.js');
  const { env, stateDir, signal, onServer, onReady } = options;
  await worker.runWorker({ env, stateDir, signal, onServer, onReady });
}
