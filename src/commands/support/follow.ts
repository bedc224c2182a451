import type { DescribedRun, Engine, RunSnapshot, StepActivity } from '../../engine/index.js';
import type { KubewrightError } from '../../errors.js';
import type { Output } from '../../terminal/output.js';
import { Hindrance } from './hindrance.js';

export interface FollowOptions {
  /** Goes on when a step is blocked and nothing else can run: somebody may decide. */
  waitWhenBlocked: boolean;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** Longest time to follow it, in milliseconds; without it as long as it takes. */
  timeoutMs?: number;
  /**
   * How long a run that cannot go on at all (no worker, no server, failing workers) is waited for where nobody waits for a
   * decision either, in milliseconds; default ten minutes.
   */
  giveUpAfterMs?: number;
  /** Called at each look: brings back what the install needs and has died, such as a killed worker. */
  keepAlive?: () => Promise<unknown> | undefined;
}

export interface Followed {
  /** `ended`: the run is over. `blocked`: only a person can go on. `interrupted`: Ctrl-C. `timeout`: time is up. */
  why: 'ended' | 'blocked' | 'interrupted' | 'timeout';
  snapshot: RunSnapshot | undefined;
}

const GIVE_UP_AFTER_MS = 10 * 60_000;

/**
 * Shows an install as it goes until it ends, or only a person can go on, or time is up, or Ctrl-C.
 *
 * @throws KubewrightError KW534, KW535, KW536 when nobody waits and the run could not go on for a long time
 */
export async function follow(
  engine: Engine,
  cluster: string,
  output: Output,
  options: FollowOptions,
): Promise<Followed> {
  const { watchRun } = await import('../../engine/index.js');
  const { createReporter } = await import('../../terminal/reporter.js');
  const reporter = createReporter(output);
  const hindrance = new Hindrance(cluster, (text) => reporter.say(text));
  const time = new AbortController();
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => time.abort(), options.timeoutMs);
  const givenUp = new AbortController();
  const signal = AbortSignal.any([options.signal, time.signal, givenUp.signal]);
  const giveUp = (): KubewrightError | undefined =>
    options.waitWhenBlocked ? undefined : hindrance.after(options.giveUpAfterMs ?? GIVE_UP_AFTER_MS, Date.now());
  let snapshot: DescribedRun | undefined;
  const onUnreachable = (failures: number) => {
    if (failures === 0) return;
    hindrance.unanswered(Date.now());
    const error = giveUp();
    if (error !== undefined) givenUp.abort(error);
  };
  try {
    for await (snapshot of watchRun(engine, cluster, { signal, onUnreachable })) {
      reporter.update(snapshot);
      await options.keepAlive?.();
      hindrance.seen(snapshot, Date.now());
      if (snapshot.status !== 'running') return { why: 'ended', snapshot };
      if (!options.waitWhenBlocked && isStuck(snapshot, Date.now())) return { why: 'blocked', snapshot };
      const error = giveUp();
      if (error !== undefined) throw error;
    }
    if (givenUp.signal.aborted) throw givenUp.signal.reason;
    return { why: options.signal.aborted ? 'interrupted' : 'timeout', snapshot };
  } finally {
    clearTimeout(timer);
    reporter.close();
  }
}

/**
 * Only a person can go on: steps are blocked, asked about or paused in Temporal, and nothing else is under way. Whatever
 * can run is started in the same moment in which a step ends or parks. Only the workflow itself is believed: a decision
 * that was kept for it while no worker ran is not in what the history tells.
 *
 * @param now milliseconds since the epoch
 */
export function isStuck(
  { progress, source, activities }: Pick<RunSnapshot, 'progress' | 'source' | 'activities'>,
  now: number,
): boolean {
  if (source !== 'worker') return false;
  const running = progress.steps.filter((step) => step.state === 'running');
  if (running.some((step) => !activities[step.id]?.paused)) return false;
  if (progress.blocked.some((step) => step.retrying && isAtWork(activities[step.step], now))) return false;
  return progress.blocked.length + running.length > 0;
}

/** A host that does not answer ends a try within this time; one that goes on for longer is back. */
const SILENCE_MS = 60_000;

function isAtWork(activity: StepActivity | undefined, now: number): boolean {
  return activity?.startedAt !== undefined && now - activity.startedAt > SILENCE_MS;
}
