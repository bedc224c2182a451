/** Kubewright's side of Temporal: how it is reached or started, and how installs are started, watched and steered. */
export { type ClusterStatus, readClusterStatus } from './cluster-status.js';
export { type ConnectOptions, connect } from './connect.js';
export { type DrillNews, readDrillNews } from './drill-news.js';
export {
  changeDrillSchedule,
  type DrillRhythm,
  type DrillSchedule,
  findDrillSchedule,
  listDrillSchedules,
  requireDrillInterval,
  scheduleDrills,
} from './drill-schedules.js';
export {
  attachServer,
  type EmbeddedServer,
  type EmbeddedServerOptions,
  type ServerRecord,
  type StopOptions,
  serverStatus,
  stopServer,
} from './embedded-server.js';
export { type HealthCell, type HealthHistory, type HealthRow, readHealthHistory } from './health-history.js';
export { type HealthNews, readHealthNews } from './health-news.js';
export type { AppliedCluster } from './runs/applied-cluster.js';
export { checkNow, latestReport } from './runs/checks.js';
export { type DecisionOutcome, decide, endRun, handOverForAbort } from './runs/decide.js';
export { latestDrill, listDrills } from './runs/drill-reports.js';
export { followOperations, latestCheckId } from './runs/follow-operations.js';
export { readLatestInput } from './runs/history.js';
export { type ListOptions, listRuns } from './runs/list-runs.js';
export { PlanConflictError, type StartedRun, type StartOptions, startRun } from './runs/start-run.js';
export { type DescribedRun, describeRun, type WatchOptions, watchRun } from './runs/watch-run.js';
export type { ScheduleChange } from './schedule-writing.js';
export { changeHealthSchedule, type HealthSchedule, listHealthSchedules, scheduleHealth } from './schedules.js';
export { describeSettings, resolveSettings, type SettingsOptions } from './settings.js';
export { stateDirectory } from './state-directory.js';
export * from './types.js';
export { needsOf, type WorkerNeeds } from './worker/environment.js';
export { isPolled, ownQueue, queueOfRun } from './worker/queue.js';
export {
  type EnsureWorkerOptions,
  ensureWorker,
  listWorkers,
  retireOutdatedWorker,
  stopWorker,
  stopWorkers,
  type WorkerProcess,
  type WorkerRecord,
  workerStatus,
} from './worker-process.js';
