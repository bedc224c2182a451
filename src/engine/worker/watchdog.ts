import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeConnection } from '@temporalio/worker';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import type { EmbeddedServer } from '../embedded-server.js';

const LOOK_MS = 1_000;
const ANSWER_LIMIT_MS = 3_000;

export interface WatchdogOptions {
  connection: NativeConnection;
  address: string;
  /** The embedded server, which is started again when it has died. */
  server: EmbeddedServer | undefined;
  /** After this long without an answer the server counts as gone for good. */
  goneAfterMs: number;
  signal: AbortSignal;
}

/**
 * Looks whether the server still answers. Resolves when `signal` says so; a restart of the server is survived, for the
 * SDK goes on polling by itself.
 *
 * @throws KubewrightError KW513 when the server has not answered for `goneAfterMs`, KW516 when it moved to another port,
 * KW518 when somebody has stopped it
 */
export async function watchServer(options: WatchdogOptions): Promise<void> {
  let lastAnswer = Date.now();
  while (!options.signal.aborted) {
    await sleep(LOOK_MS, undefined, { signal: options.signal }).catch(() => {});
    if (options.signal.aborted) return;
    if (await answersNow(options)) lastAnswer = Date.now();
    if (Date.now() - lastAnswer > options.goneAfterMs) throw gone(options);
  }
}

async function answersNow({ connection, server }: WatchdogOptions): Promise<boolean> {
  try {
    await server?.revive();
    await connection.withDeadline(Date.now() + ANSWER_LIMIT_MS, () => connection.workflowService.getSystemInfo({}));
    return true;
  } catch (error) {
    // A server on another port, or one that was stopped, will never answer here. Otherwise what counts is how long it lasts.
    if (isKubewrightError(error) && ['KW516', 'KW518'].includes(error.code)) throw error;
    return false;
  }
}

function gone({ address, goneAfterMs }: WatchdogOptions): KubewrightError {
  const minutes = Math.round(goneAfterMs / 60_000);
  return new KubewrightError('KW513', `The Temporal server at ${address} has not answered for ${minutes} minutes`, {
    hint: 'Start the server again, then the worker: the installs go on where they stood.',
  });
}
