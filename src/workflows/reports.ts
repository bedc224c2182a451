import type { HealthComponent, HealthVerdict } from '../plan/findings.js';
import type { HealthFinding, HeldBy } from '../plan/run.js';
import type { Sight } from '../plan/sight.js';
import type { ToldChannels } from '../plan/told.js';

/** What came of a health check. */
export interface HealthReport {
  /** Name of the cluster. */
  cluster: string;
  /** When it ended, milliseconds since the epoch. */
  at: number;
  /** How the cluster is; `unknown` where nothing could be looked at. */
  verdict: HealthVerdict;
  /** How many things were looked at. */
  looks: number;
  /** What is not as it should be, those of single hosts first; empty in a healthy cluster. */
  findings: HealthFinding[];
  /** How many more there were; missing when all are named. */
  more?: number;
  /** How many findings were seen once only: a second look some seconds later did not see them. Missing when there were none. */
  fleeting?: number;
  /**
   * Who has the virtual IP, who leads etcd, and which nodes there are, when the check ended. Missing where the check looked at
   * nothing, and in reports of earlier versions.
   */
  seen?: Sight;
  /**
   * Of a quick check: when the latest deep one ended, milliseconds since the epoch. Where this one did not look, what that one found
   * stands (`seenAt` of a finding). Missing in reports of deep checks.
   */
  deepAt?: number;
  /** How long the check took, in milliseconds; without the time in which somebody was told of it. */
  tookMs?: number;
  /** What changed the cluster while it was looked at, for somebody had asked for the check all the same. */
  during?: HeldBy;
  /** What each channel of `health.notify` was told last; missing where the file tells nobody. */
  told?: ToldChannels;
  /** What holds the cluster, so that a scheduled check looked at nothing; its verdict says nothing then. */
  skipped?: HeldBy;
}

/** Name of what a check leaves in its memo. */
export const HEALTH_MEMO = 'health';

/** In short, what came of a check: for lists, which do not read reports. */
export interface HealthMemo {
  /** Missing where it was left out. */
  verdict?: HealthVerdict;
  /** Set for a quick check. */
  depth?: 'quick';
  /** Of those that were looked at. */
  components?: Partial<Record<HealthComponent, HealthVerdict>>;
  /** The operation that held the cluster, so that nothing was looked at. */
  skipped?: string;
  /** What each channel was told last: the next check reads it here. */
  told?: ToldChannels;
}

/** Name of what a drill leaves in its memo. */
export const DRILL_MEMO = 'drill';

/** In short, what came of a drill: for lists, which do not read reports. */
export interface DrillMemo {
  /** Scenarios that were measured. */
  scenarios: number;
  /** Things that went wrong. */
  problems: number;
}
