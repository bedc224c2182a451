import { homedir } from 'node:os';
import { runWorker, type WorkerRunOptions } from '../../worker.js';
import { attachServer, type EmbeddedServerOptions, stopServer } from '../embedded-server.js';
import { ensureStateDirectory } from '../state-directory.js';
import { taskQueueOf } from '../types.js';
import { stopWorkers } from '../worker-process.js';
import { becomeService } from './record.js';

/** The service's process. */
export interface ServiceOptions extends WorkerRunOptions {
  env: NodeJS.ProcessEnv;
  stateDir: string;
  /** Ends it in order: the worker drains, then the server stops. */
  signal: AbortSignal;
  /** How the server is found and started. */
  embedded?: Omit<EmbeddedServerOptions, 'stateDir' | 'env' | 'signal'>;
}

/** Who has stopped the server, for commands in terminals that used it. */
const STOPPED_BY = 'the end of `kubewright server run`';

/**
 * Runs the embedded server and a worker for all of its clusters until `signal`, and stops both then, whoever else uses the
 * server. A server that runs already is used; one that dies is started again.
 *
 * @throws KubewrightError KW584 when another one runs for these data, and what `attachServer` and `runWorker` throw
 */
export async function runService({ embedded, ...options }: ServiceOptions): Promise<void> {
  const { stateDir, signal } = options;
  const env = { HOME: homedir(), ...options.env, KUBEWRIGHT_EMBEDDED: '1' };
  await ensureStateDirectory(stateDir);
  const leave = await becomeService(stateDir, taskQueueOf(env));
  try {
    // Held beside the worker's own use of it: the server outlives the worker, so what the worker still has to say is heard.
    await attachServer({ ...embedded, stateDir, env, signal });
    try {
      await runWorker({ ...options, env, adoptsSchedules: true });
    } finally {
      const drain = () => stopWorkers(stateDir, ({ embedded: isOurs }) => isOurs);
      await stopServer(stateDir, { by: STOPPED_BY, drain });
    }
  } finally {
    await leave();
  }
}
