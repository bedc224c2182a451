import type { HealthSchedule } from '../../engine/index.js';
import type { HealthReport } from '../../workflows/types.js';

/**
 * What came of a health check.
 * @printedBy health
 */
export interface HealthObject extends HealthReport {
  type: 'health';
  /** Whether nothing was found. */
  healthy: boolean;
}

/**
 * A cluster's scheduled health checks.
 * @printedBy health
 */
export interface ScheduleObject extends HealthSchedule {
  type: 'schedule';
}
