import {
  type ClusterStatus,
  type DescribedRun,
  type DrillSchedule,
  type Engine,
  followOperations,
  type HealthHistory,
  type HealthSchedule,
  latestCheckId,
  listDrillSchedules,
  listDrills,
  listHealthSchedules,
  listRuns,
  type RunListing,
  readClusterStatus,
  readHealthHistory,
  type WatchOptions,
} from '../engine/index.js';
import type { DrillReport } from '../plan/drill-report.js';

/** Where the page has all that it shows: what Temporal knows. Given in, so that tests tell a story of their own. */
export interface DashboardReader {
  /** The latest operation of each cluster. */
  clusters(): Promise<RunListing[]>;
  schedules(): Promise<{ checks: HealthSchedule[]; drills: DrillSchedule[] }>;
  /** Follows what changes a cluster, operation after operation; undefined while nothing ever has. */
  operations(cluster: string, options: WatchOptions): AsyncIterable<DescribedRun | undefined>;
  status(cluster: string): Promise<ClusterStatus>;
  day(cluster: string): Promise<HealthHistory>;
  /** Reports of its drills, the latest first. */
  drills(cluster: string): Promise<DrillReport[]>;
  /** Names the check that ended last; another name is the sign that there is something to read. */
  latestCheck(cluster: string): Promise<string | undefined>;
}

/** Longest wait for an answer, in milliseconds: the client itself goes on for a minute, and nobody would be told meanwhile. */
const LIMIT_MS = 5_000;

/** Reads from Temporal. No host is asked, and no worker has to run. */
export function temporalReader(engine: Engine): DashboardReader {
  const within = async <T>(ask: () => Promise<T>): Promise<T> => {
    // Nearly always one look into /proc; an embedded server that has died comes back by it.
    await engine.server?.revive();
    return engine.client.connection.withDeadline(Date.now() + LIMIT_MS, ask);
  };
  return {
    clusters: () => within(() => listRuns(engine, { latest: true })),
    schedules: () =>
      within(async () => {
        const [checks, drills] = await Promise.all([listHealthSchedules(engine), listDrillSchedules(engine)]);
        return { checks, drills };
      }),
    operations: (cluster, options) => followOperations(engine, cluster, options),
    status: (cluster) => readClusterStatus(engine, cluster),
    day: (cluster) => within(() => readHealthHistory(engine, cluster)),
    drills: (cluster) => within(() => listDrills(engine, cluster)),
    latestCheck: (cluster) => within(() => latestCheckId(engine, cluster)),
  };
}
