import type { HealthHistory, HealthSchedule } from '../../engine/index.js';
import type { Depth } from '../../plan/depth.js';
import type { HeldBy } from '../../plan/run.js';
import type { HealthReport } from '../../workflows/reports.js';

/**
 * What came of a health check.
 * @printedBy health
 */
export interface HealthObject extends HealthReport {
  type: 'health';
  /** Whether nothing was found. */
  healthy: boolean;
  /** What holds the cluster, so that scheduled checks behind this one were left out. */
  heldBy?: HeldBy;
  /** Since when no scheduled check has ended although some were due, milliseconds since the epoch. */
  silentSince?: number;
  /** Which checks that is about, where the schedule has quick ones, too. */
  silentDepth?: Depth;
  /** Why the schedule could not be read: whether there is one, and whether it still says something, is not known then. */
  scheduleUnread?: string;
}

/**
 * A cluster's last day.
 * @printedBy health
 */
export interface HealthHistoryObject extends HealthHistory {
  type: 'health-history';
}

/**
 * A cluster's scheduled health checks.
 * @printedBy health
 */
export interface ScheduleObject extends HealthSchedule {
  type: 'schedule';
}
