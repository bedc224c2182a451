import type { DecisionOutcome, Engine, RunSnapshot } from '../../engine/index.js';
import { isKubewrightError, messageOf } from '../../errors.js';
import type { CommandContext } from './action.js';

/** Long enough for every host that answers to let go; one that does not is named after a minute in the run's failure. */
const WAIT_MS = 60_000;

export interface AbortingOptions {
  reason: string | undefined;
  /** Ends the waiting, not the abort. */
  signal: AbortSignal;
  /** Told at once what the run has answered. */
  onOutcome: (outcome: DecisionOutcome) => void;
}

/** What came of an abort. */
export interface Aborted {
  outcome: DecisionOutcome;
  /** The last that was seen of the run; undefined where waiting for its end makes no sense. */
  last?: RunSnapshot;
  /** On a server elsewhere the worker is elsewhere too: nobody waits here for its end. */
  isElsewhere: boolean;
}

/**
 * Aborts what changes a cluster, and waits for its end, a minute at most. With the embedded server it brings a worker for so long.
 *
 * @throws KubewrightError KW801 to KW811 where it is refused
 */
export async function abortRun(
  context: CommandContext,
  engine: Engine,
  cluster: string,
  { reason, signal, onOutcome }: AbortingOptions,
): Promise<Aborted> {
  const { decide } = await import('../../engine/index.js');
  return await withWorker(context, engine, cluster, async () => {
    const outcome = await decide(engine, cluster, 'abort', { reason });
    onOutcome(outcome);
    // What the worker elsewhere does about it is seen with `watch`.
    if (engine.server === undefined && outcome.failing === undefined) return { outcome, isElsewhere: true };
    return { outcome, last: await awaitEnd(engine, cluster, outcome, signal), isElsewhere: false };
  });
}

/** The last that was seen of the run: it has ended, or a minute is over, or Ctrl-C, or waiting for it makes no sense. */
async function awaitEnd(
  engine: Engine,
  cluster: string,
  outcome: DecisionOutcome,
  signal: AbortSignal,
): Promise<RunSnapshot | undefined> {
  const { handOverForAbort, watchRun } = await import('../../engine/index.js');
  let last: RunSnapshot | undefined;
  if (outcome.failing !== undefined) return undefined;
  const time = new AbortController();
  const timer = setTimeout(() => time.abort(), WAIT_MS);
  try {
    const until = AbortSignal.any([signal, time.signal]);
    for await (last of watchRun(engine, cluster, { signal: until })) {
      if (last.status !== 'running' || last.taskFailure !== undefined) break;
      if (outcome.via === 'signal') await handOverForAbort(engine, cluster, outcome.runId);
    }
    return last;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Brings a worker for as long as the abort takes to have its effect: it ends what still runs on the hosts, and nobody would
 * start an install again only to have it aborted. Where none can be brought the abort is sent all the same.
 */
async function withWorker<T>(
  context: CommandContext,
  engine: Engine,
  cluster: string,
  act: () => Promise<T>,
): Promise<T> {
  if (engine.server === undefined) return await act();
  const { queueOfRun } = await import('../../engine/index.js');
  const { bringWorker, onQueue } = await import('./workers.js');
  const queue = await queueOfRun(engine, cluster);
  // Nothing runs: what is sent is refused, and says so.
  if (queue === undefined) return await act();
  const worker = await bringWorker(context, onQueue(engine, queue)).catch((error: unknown) => {
    const code = isKubewrightError(error) ? `${error.code}: ` : '';
    context.output.note(`No worker could be started for it (${code}${messageOf(error)}).`);
  });
  try {
    return await act();
  } finally {
    await worker?.leave();
  }
}
