/**
 * Kubewright for scripts: the same functions that its command line uses. See examples/scripts. What a signature names is
 * exported, too.
 *
 * ```ts
 * import { connect, ensureWorker, loadCluster, prepareInstall, startRun, watchRun } from 'kubewright';
 * ```
 */
export type { Comparison, Difference, Verdict } from './activities/applied/difference.js';
export type { Unlocked } from './activities/lease/unlock.js';
export type { Finding, LookedAt } from './activities/look.js';
export type { BundleListing } from './artifacts/list.js';
export { BUILD } from './build.js';
export type { LaterOperation } from './cluster/changes.js';
export { differences } from './cluster/differences.js';
export type { Fetched } from './cluster/documents.js';
export type {
  HealthChannel,
  HealthChannels,
  HealthMail,
  HealthSettings,
  HealthSnapshots,
  HealthWebhook,
  WebhookFormat,
} from './cluster/health/settings.js';
export { type LoadedCluster, loadCluster, type ParseOptions, parseCluster } from './cluster/load.js';
export type { PackageRepository } from './cluster/package-repository.js';
export type { Places } from './cluster/places.js';
export type { RegistrySettings } from './cluster/private-registry.js';
export { ClusterFileError, formatProblem, isClusterFileError, type Problem } from './cluster/problem.js';
export { clusterJsonSchema, type JsonSchema } from './cluster/schema/json-schema.js';
export type {
  AuditSettings,
  CertificateSettings,
  PodSecurityLevel,
  PodSecuritySettings,
  SecuritySettings,
} from './cluster/security/settings.js';
export * from './cluster/types.js';
export type { KubeProxyMode } from './components/kube-proxy/mode.js';
export { etcdHosts } from './components/registry/plan.js';
export type {
  ArtifactSettings,
  BalancerImages,
  BundleSettings,
  CalicoSettings,
  CiliumEncapsulation,
  CiliumSettings,
  ContainerdSettings,
  CrioSettings,
  Encapsulation,
  EndpointSettings,
  EtcdCommonSettings,
  EtcdSettings,
  ExternalEndpoint,
  ExternalEtcdSettings,
  ExternalLoadBalancerSettings,
  FlannelSettings,
  HaproxyKeepalivedEndpoint,
  HaproxyKeepalivedSettings,
  KubeVipLease,
  KubeVipSettings,
  LoadBalancerSettings,
  LvsSettings,
  MailSettings,
  ManifestNetworkSettings,
  NetworkManifest,
  NoNetworkSettings,
  Notifying,
  NotifySettings,
  PodNetworkSettings,
  RepositorySettings,
  RuntimeSettings,
  SmtpSettings,
  SmtpTls,
  StackedEtcdSettings,
  StaticPodsSettings,
  SystemdEtcdSettings,
  VirtualIp,
  VrrpEndpoint,
  WebhookSettings,
} from './components/registry/settings.js';
export {
  type AppliedCluster,
  type ClusterStatus,
  type ConnectionSettings,
  type ConnectOptions,
  changeDrillSchedule,
  changeHealthSchedule,
  checkNow,
  connect,
  type DecisionOutcome,
  type DescribedRun,
  type DrillNews,
  type DrillRhythm,
  type DrillSchedule,
  decide,
  describeRun,
  type EmbeddedServer,
  type EmbeddedServerOptions,
  type Engine,
  type EnsureWorkerOptions,
  endRun,
  ensureWorker,
  type HealthCell,
  type HealthHistory,
  type HealthNews,
  type HealthRow,
  type HealthSchedule,
  type ListOptions,
  latestDrill,
  latestReport,
  listDrillSchedules,
  listDrills,
  listHealthSchedules,
  listRuns,
  listWorkers,
  needsOf,
  PlanConflictError,
  type RunListing,
  type RunSnapshot,
  type RunStatus,
  readClusterStatus,
  readDrillNews,
  readHealthHistory,
  readHealthNews,
  type ScheduleChange,
  type ServerRecord,
  type SettingsOptions,
  type StartedRun,
  type StartOptions,
  type StepActivity,
  type StopOptions,
  scheduleDrills,
  scheduleHealth,
  serverStatus,
  startRun,
  stateDirectory,
  stopServer,
  stopWorker,
  stopWorkers,
  type WatchOptions,
  type WorkerNeeds,
  type WorkerProcess,
  type WorkerRecord,
  watchRun,
  workerStatus,
} from './engine/index.js';
export type { ProcessIdentity } from './engine/processes/identity.js';
export type { Machine } from './engine/processes/machine.js';
export type { ProcessUser, SharedProcess } from './engine/processes/shared-record.js';
export type { BinaryOptions } from './engine/server/binaries.js';
export type { WorkerEnvironment } from './engine/worker/environment.js';
export type { WorkerOwner } from './engine/worker/record.js';
export { type ErrorFacts, isKubewrightError, KubewrightError } from './errors.js';
export type { HopReport, Sourced, SshReport } from './hosts/ssh-check.js';
export type { Kubeconfig } from './kubeconfig.js';
export { type AccessOptions, fetchKubeconfig, type LookAtOptions, lookAtCluster, unlockHosts } from './on-hosts.js';
export { planCheck } from './plan/check.js';
export type { DeepLook, Depth } from './plan/depth.js';
export type { DiskTrend, RoomSample } from './plan/disk-trend.js';
export { type ChosenScenarios, chooseScenarios, type DrillOptions, type Impossible, planDrill } from './plan/drill.js';
export {
  type DrillGap,
  type DrillOutage,
  type DrillProblem,
  type DrillReport,
  type DrillTimes,
  PROBE_KINDS,
  type ProbeKind,
  SCENARIOS,
  type Scenario,
  type ScenarioLeft,
  type ScenarioReport,
} from './plan/drill-report.js';
export type { CounterSample, MemberTrend } from './plan/etcd-trend.js';
export { HEALTH_COMPONENTS, HEALTH_VERDICTS, type HealthComponent, type HealthVerdict } from './plan/findings.js';
export { planInstall } from './plan/install.js';
export { OPERATION_NAMES, OPERATIONS, type Operation, type OperationKind } from './plan/operations.js';
export { planReset, type ResetOptions } from './plan/reset.js';
export { planRotateEncryptionKey } from './plan/rotate-encryption-key.js';
export * from './plan/run.js';
export type { NoDrill, ScheduledDrillReport } from './plan/scheduled-drill.js';
export type { SeenNodes, Sight } from './plan/sight.js';
export type { KnownFinding } from './plan/since.js';
export type { SeenSnapshot, WantedSnapshots } from './plan/snapshot-age.js';
export type { HealthEvent, Told, ToldChannels } from './plan/told.js';
export type { Trends } from './plan/trends.js';
export * from './plan/types.js';
export type { VerdictNews } from './plan/verdict-news.js';
export { prepareInstall, prepareRun } from './prepare-run.js';
export { runWorker } from './run-worker.js';
export type * from './terminal/json/index.js';
export { VERSION } from './version.js';
export type { RunWorkerOptions } from './worker.js';
export type { HealthReport } from './workflows/reports.js';
export {
  type BlockedStep,
  type Decision,
  type DecisionRecord,
  type FailedTry,
  type GroupProgress,
  type RunProgress,
  type RunResult,
  type RunState,
  type StepProgress,
  type StepState,
  VERBS,
  type Verb,
} from './workflows/types.js';
