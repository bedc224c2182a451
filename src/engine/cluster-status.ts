import type { Cluster } from '../cluster/types.js';
import { isKubewrightError } from '../errors.js';
import type { DrillReport } from '../plan/drill-report.js';
import type { RunReference } from '../plan/run.js';
import { type DrillNews, readDrillNews } from './drill-news.js';
import type { HealthNews } from './health-news.js';
import { readHealthNewsAsFarAsTold } from './health-news.js';
import { type AppliedCluster, type GivenBack, readAppliedCluster } from './runs/applied-cluster.js';
import { latestDrill } from './runs/drill-reports.js';
import { readInput } from './runs/history.js';
import { type DescribedRun, describeRun } from './runs/watch-run.js';
import { reasonOf, told } from './told.js';
import type { Engine } from './types.js';

/** All that Temporal knows of a cluster. No host is asked, and no worker has to run. */
export interface ClusterStatus {
  /** Name of the cluster. */
  cluster: string;
  /** The operation that changed it last, or changes it now; missing where Temporal knows none. */
  run?: DescribedRun;
  /** What is known of its health, and of its schedule. */
  health: HealthNews;
  /** What the last fail-over drill has measured; missing where none has come to its end, and where that is not known. */
  drill?: DrillReport;
  /** The schedule of its drills, and what came of the last one that was due. Missing where that is not known. */
  drills?: DrillNews;
  /** What was applied last; missing where nothing was, and where that is not known. */
  applied?: AppliedCluster;
  /** When a reset has given the hosts back, milliseconds since the epoch; missing where nobody has, or they are a cluster again. */
  givenBackAt?: number;
  /** Where neither is known: the cluster that the operation, else the latest check, was started with. */
  planned?: Cluster;
  /** What else could not be read, and why. */
  unread: { operation?: string; applied?: string; drill?: string; drills?: string };
}

/** A server that does not answer is tried again by the client for a minute: longer than anybody waits for a look. */
const LIMIT_MS = 15_000;

/**
 * Reads all that Temporal knows of a cluster. What cannot be read is told and stands in the way of nothing else.
 *
 * @throws KubewrightError KW523 when Temporal knows nothing of the cluster, KW512 when it is encrypted with a key that is not here;
 * whatever the operation cannot be read for where nothing else could be read either
 */
export async function readClusterStatus(engine: Engine, cluster: string): Promise<ClusterStatus> {
  const [described, health, drill, drills] = await Promise.all([
    describe(engine, cluster),
    within(engine, () => readHealthNewsAsFarAsTold(engine, cluster)),
    told(within(engine, () => latestDrill(engine, cluster))),
    told(within(engine, () => readDrillNews(engine, cluster))),
  ]);
  const { run, failure } = described;
  if (failure !== undefined && !isWorthTelling(failure, health)) throw failure;
  const isMissing = failure !== undefined && isNoRun(failure);
  const applied = await told(within(engine, () => readAppliedCluster(engine, cluster, { run, health })));
  return {
    cluster,
    health: applied.value?.from === 'reset' ? since(health, applied.value) : health,
    ...(run === undefined ? {} : { run }),
    ...(drill.value === undefined || isOfBefore(drill.value, applied.value) ? {} : { drill: drill.value }),
    ...(drills.value === undefined ? {} : { drills: drills.value }),
    ...appliedOrGivenBack(applied.value),
    ...(applied.value === undefined ? await planOf(engine, run ?? health.reportedBy) : {}),
    unread: {
      ...(failure === undefined || isMissing ? {} : { operation: reasonOf(failure) }),
      ...(applied.why === undefined ? {} : { applied: applied.why }),
      ...(drill.why === undefined ? {} : { drill: drill.why }),
      ...(drills.why === undefined ? {} : { drills: drills.why }),
    },
  };
}

function appliedOrGivenBack(
  value: AppliedCluster | GivenBack | undefined,
): Pick<ClusterStatus, 'applied' | 'givenBackAt'> {
  if (value === undefined) return {};
  return value.from === 'reset' ? { givenBackAt: value.at } : { applied: value };
}

/** What a check has seen of hosts before they were given back is no news of them any more. */
function since(health: HealthNews, { at }: GivenBack): HealthNews {
  if (health.report === undefined || health.report.at > at) return health;
  const { report: _report, reportedBy: _reportedBy, ...rest } = health;
  return rest;
}

async function describe(engine: Engine, cluster: string): Promise<{ run?: DescribedRun; failure?: unknown }> {
  try {
    return { run: await describeRun(engine, cluster) };
  } catch (failure) {
    return { failure };
  }
}

function within<T>(engine: Engine, ask: () => Promise<T>): Promise<T> {
  return engine.client.connection.withDeadline(Date.now() + LIMIT_MS, ask);
}

/** Whether something is known of the cluster although its operation is not. */
function isWorthTelling(failure: unknown, { report, schedule, unread }: HealthNews): boolean {
  // All else is encrypted with the same key.
  if (isKubewrightError(failure) && failure.code === 'KW512') return false;
  if (report !== undefined || schedule !== undefined) return true;
  // There is no operation, and whether there is anything else is not known.
  return isNoRun(failure) && unread !== undefined;
}

function isNoRun(failure: unknown): boolean {
  return isKubewrightError(failure) && failure.code === 'KW523';
}

/** The plan is a help, no more: who cannot read it sees all else. */
async function planOf(engine: Engine, run: RunReference | undefined): Promise<Pick<ClusterStatus, 'planned'>> {
  if (run === undefined) return {};
  const { workflowId, runId } = run;
  const input = await told(within(engine, () => readInput(engine, workflowId, runId)));
  return input.value === undefined ? {} : { planned: input.value.cluster };
}

/** The drill was one of hosts that were given back since. */
function isOfBefore({ at }: DrillReport, applied: AppliedCluster | GivenBack | undefined): boolean {
  return applied?.from === 'reset' && at < applied.at;
}
