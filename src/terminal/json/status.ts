import type { Role } from '../../cluster/types.js';
import type { AppliedCluster, DrillNews, HealthSchedule, RunSnapshot } from '../../engine/index.js';
import type { Depth } from '../../plan/depth.js';
import type { DrillReport } from '../../plan/drill-report.js';
import type { Operation } from '../../plan/operations.js';
import type { HeldBy } from '../../plan/run.js';
import type { SeenSnapshot } from '../../plan/snapshot-age.js';
import type { HealthReport } from '../../workflows/reports.js';

/**
 * How a cluster stands: all that Temporal knows, without a look at a host. What is not known is named, and why.
 * @printedBy status
 */
export interface ClusterObject extends ClusterSummary {
  type: 'cluster';
}

/**
 * How a cluster stands in a word; `status --exit-code` exits with 0, 5, 3, 4 and 1 for these. `well`: the last operation has ended
 * well, and nothing is known to be wrong. `incomplete`: that, but workers that never answered were left out. `blocked`: a step waits for
 * a person. `running`: an operation is under way. `amiss`: all else, also where it could not be asked.
 */
export type ClusterState = 'well' | 'incomplete' | 'blocked' | 'running' | 'amiss';

/** How a cluster stands. */
export interface ClusterSummary {
  /** Name of the cluster. */
  cluster: string;
  /** In a word. */
  state: ClusterState;
  /** What changed the cluster last, or changes it now; absent where Temporal knows nothing of that. */
  operation?: OperationSummary;
  /** What the latest check said that has looked; absent where none has, or that is not known. */
  health?: Pick<HealthReport, 'verdict' | 'at' | 'findings' | 'more' | 'during'>;
  /** What holds the cluster, so that scheduled checks behind that one were left out. */
  heldBy?: HeldBy;
  /** The scheduled checks; absent where there are none, or that is not known. */
  schedule?: HealthSchedule;
  /** Since when no scheduled check has ended although some were due, milliseconds since the epoch. */
  silentSince?: number;
  /** Which checks that is about, where the schedule has quick ones, too. */
  silentDepth?: Depth;
  /** What the last fail-over drill has measured; absent where there was none, or that is not known. */
  drill?: DrillReport;
  /** Scheduled drills, and what came of the last one that was due; absent where none are scheduled, or that is not known. */
  drills?: DrillNews;
  /** Address and port of the API; absent where it is not known what was applied or planned. */
  endpoint?: string;
  /** Hosts that have the virtual IP; absent where that is not known, and where there is none. */
  virtualIpHolders?: string[];
  /** Host of etcd's leader; absent where that is not known. */
  etcdLeader?: string;
  /** The newest snapshot of etcd that was seen; absent where none was, or the file names none (`health.snapshots`). */
  snapshot?: Required<SeenSnapshot>;
  /** When virtual IP, leader, snapshot and nodes were seen: at the end of the latest check, milliseconds since the epoch. */
  seenAt?: number;
  /** Hosts of the cluster that was applied, else of the one that was planned; empty where neither is known. */
  hosts: HostStanding[];
  /** What was applied last; absent where that is not known. */
  applied?: AppliedSummary;
  /** When a reset of the whole cluster has given its hosts back, milliseconds since the epoch; absent where it is a cluster. */
  givenBackAt?: number;
  /** What a cluster.yaml says against what was applied; absent where none was compared. */
  differences?: {
    /** The file. */
    file: string;
    /** A difference a line, for people; what was applied stands left of the arrow. Empty when there is none. */
    lines: string[];
  };
  /** What could not be seen. */
  notKnown: NotKnown[];
}

/** An operation in short; the object `install` before this one has all of it. */
export interface OperationSummary extends Pick<RunSnapshot, 'status' | 'source' | 'startedAt' | 'closedAt'> {
  /** What it carries out. */
  operation: Operation;
  /** Ids of the steps that wait for a person. */
  blocked: string[];
}

/** What was applied, in short. */
export interface AppliedSummary extends Omit<AppliedCluster, 'cluster'> {
  /** Version of Kubernetes. */
  version: string;
  /** How many hosts. */
  hosts: number;
}

/** One host, as the latest check has seen it. */
export interface HostStanding {
  /** Name of the host. */
  name: string;
  /** What it is. */
  role: Role;
  /** Its address. */
  address: string;
  /** Of a node: whether it is Ready. Absent where that is not known. */
  ready?: boolean;
  /** Of a node: version of its kubelet, such as `v1.34.3`. */
  kubelet?: string;
  /** True where that is another version than the one that was applied. */
  otherVersion?: true;
  /** Codes of what the check has found on it. */
  codes: string[];
}

/** Something that could not be seen. */
export interface NotKnown {
  /** What. */
  what: string;
  /** Why. */
  why: string;
}
