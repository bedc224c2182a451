/**
 * Kubewright for scripts: the same functions that its command line uses. See examples/scripts.
 *
 * ```ts
 * import { connect, ensureWorker, loadCluster, prepareInstall, startInstall, watchInstall } from 'kubewright';
 * ```
 */
export { type Finding, type LookOptions, lookAtPlan } from './activities/look.js';
export type { Probe } from './activities/types.js';
export { differences } from './cluster/differences.js';
export { type LoadedCluster, loadCluster, type ParseOptions, parseCluster } from './cluster/load.js';
export { ClusterFileError, formatProblem, isClusterFileError, type Problem } from './cluster/problem.js';
export { clusterJsonSchema } from './cluster/schema/json-schema.js';
export type * from './cluster/types.js';
export {
  type ConnectOptions,
  connect,
  type DecisionOutcome,
  decide,
  describeInstall,
  type Engine,
  ensureWorker,
  type InstallListing,
  type InstallSnapshot,
  listInstalls,
  PlanConflictError,
  type RunStatus,
  type StartedInstall,
  type StartOptions,
  startInstall,
  type WatchOptions,
  type WorkerProcess,
  watchInstall,
} from './engine/index.js';
export { type ErrorFacts, isKubewrightError, KubewrightError } from './errors.js';
export { planInstall } from './plan/install.js';
export type * from './plan/types.js';
export { prepareInstall } from './prepare-install.js';
export { VERSION } from './version.js';
export type {
  BlockedStep,
  Decision,
  DecisionRecord,
  InstallProgress,
  InstallResult,
  InstallState,
  StepProgress,
  StepState,
  Verb,
} from './workflows/types.js';
