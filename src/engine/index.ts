/** Kubewright's side of Temporal: how it is reached or started, and how installs are started, watched and steered. */
export { type ConnectOptions, connect } from './connect.js';
export {
  attachServer,
  type EmbeddedServer,
  type EmbeddedServerOptions,
  type ServerRecord,
  serverStatus,
  stopServer,
} from './embedded-server.js';
export { type DecisionOutcome, decide, endInstall } from './installs/decide.js';
export { type ListOptions, listInstalls } from './installs/list-installs.js';
export { PlanConflictError, type StartedInstall, type StartOptions, startInstall } from './installs/start-install.js';
export { describeInstall, type WatchOptions, watchInstall } from './installs/watch-install.js';
export { resolveSettings, type SettingsOptions } from './settings.js';
export { stateDirectory } from './state-directory.js';
export * from './types.js';
export {
  type EnsureWorkerOptions,
  ensureWorker,
  stopWorker,
  type WorkerProcess,
  type WorkerRecord,
  workerStatus,
} from './worker-process.js';
