import type { Engine, InstallSnapshot } from '../../engine/index.js';
import type { Output } from '../../terminal/output.js';

export interface FollowOptions {
  /** Goes on when a step is blocked and nothing else can run: somebody may decide. */
  waitWhenBlocked: boolean;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** Called at each look: brings back what the install needs and has died, such as a killed worker. */
  keepAlive?: () => Promise<unknown> | undefined;
}

export interface Followed {
  /** `ended`: the run is over. `blocked`: only a person can go on. `interrupted`: Ctrl-C. */
  why: 'ended' | 'blocked' | 'interrupted';
  snapshot: InstallSnapshot | undefined;
}

/** Shows an install as it goes until it ends, or only a person can go on, or Ctrl-C. */
export async function follow(
  engine: Engine,
  cluster: string,
  output: Output,
  options: FollowOptions,
): Promise<Followed> {
  const { watchInstall } = await import('../../engine/index.js');
  const { createReporter } = await import('../../terminal/reporter.js');
  const reporter = createReporter(output);
  let snapshot: InstallSnapshot | undefined;
  const onUnreachable = (failures: number) => {
    if (failures === 1) reporter.say('Temporal does not answer; trying again …');
    if (failures === 0) reporter.say('Temporal answers again.');
  };
  let unanswered: number | undefined;
  const tellUnanswered = ({ source, status }: InstallSnapshot) => {
    if (source === 'worker' || status !== 'running') unanswered = undefined;
    else if (unanswered === undefined) unanswered = Date.now();
    else if (Date.now() - unanswered > PATIENCE_MS) {
      reporter.say('No worker answers; the install waits until one runs.');
      unanswered = Number.POSITIVE_INFINITY;
    }
  };
  try {
    for await (snapshot of watchInstall(engine, cluster, { signal: options.signal, onUnreachable })) {
      reporter.update(snapshot);
      await options.keepAlive?.();
      tellUnanswered(snapshot);
      if (snapshot.status !== 'running') return { why: 'ended', snapshot };
      if (!options.waitWhenBlocked && isStuck(snapshot)) return { why: 'blocked', snapshot };
    }
    return { why: 'interrupted', snapshot };
  } finally {
    reporter.close();
  }
}

/** A worker that starts, or comes back, answers within seconds. */
const PATIENCE_MS = 10_000;

/**
 * Blocked with nothing else under way. Whatever can run is started in the same moment in which a step ends or parks. Only
 * the workflow itself is believed: a decision that was kept for it while no worker ran is not in what the history tells.
 */
export function isStuck({ progress, source }: Pick<InstallSnapshot, 'progress' | 'source'>): boolean {
  return source === 'worker' && progress.blocked.length > 0 && !progress.steps.some((step) => step.state === 'running');
}
