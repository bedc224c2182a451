/**
 * What `--json` prints, one object a line, told apart by `type`. It is an interface: fields and types are only ever added.
 * docs/json.md and docs/json.schema.json are made from these types and their comments; `@printedBy` names the commands.
 */
import type { DashboardObject, ServerObject, ServiceObject, WorkerObject } from './background.js';
import type { BundleObject } from './bundles.js';
import type { CommonFields, EndObject, ErrorObject, WarningObject } from './common.js';
import type { DrillObject, DrillScheduleObject } from './drill.js';
import type { ProgressEvent } from './events.js';
import type { HealthHistoryObject, HealthObject, ScheduleObject } from './health.js';
import type {
  DifferenceObject,
  FindingObject,
  InitObject,
  KubeconfigObject,
  SshObject,
  SshSummaryObject,
  SummaryObject,
  UncheckedObject,
  UnlockedObject,
  ValidObject,
} from './hosts.js';
import type {
  DecidedObject,
  DifferencesObject,
  InstallObject,
  InterruptedObject,
  ListingObject,
  ResultObject,
  StartedObject,
  TimeoutObject,
} from './install.js';
import type { ClusterObject } from './status.js';

export type * from './background.js';
export type * from './bundles.js';
export type * from './common.js';
export type * from './drill.js';
export type * from './events.js';
export type * from './health.js';
export type * from './hosts.js';
export type * from './install.js';
export type * from './status.js';

/** What happens in an install, and in which. */
export type ClusterEvent = ProgressEvent & {
  /** Name of the cluster. */
  cluster: string;
};

/** Every object there is, without the fields that all of them have. */
export type JsonObject =
  | StartedObject
  | DifferencesObject
  | ClusterEvent
  | ResultObject
  | TimeoutObject
  | InterruptedObject
  | DecidedObject
  | InstallObject
  | ListingObject
  | ClusterObject
  | ValidObject
  | InitObject
  | FindingObject
  | DifferenceObject
  | UncheckedObject
  | SummaryObject
  | SshObject
  | SshSummaryObject
  | KubeconfigObject
  | UnlockedObject
  | HealthObject
  | HealthHistoryObject
  | ScheduleObject
  | DrillObject
  | DrillScheduleObject
  | WorkerObject
  | ServerObject
  | ServiceObject
  | DashboardObject
  | BundleObject
  | WarningObject
  | ErrorObject
  | EndObject;

/** A line as it is printed. */
export type PrintedObject = JsonObject & CommonFields;
