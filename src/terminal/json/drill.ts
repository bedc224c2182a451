import type { DrillSchedule } from '../../engine/index.js';
import type { DrillReport } from '../../plan/drill-report.js';

/**
 * What came of a fail-over drill.
 * @printedBy drill, watch
 */
export interface DrillObject extends DrillReport {
  type: 'drill';
}

/**
 * A cluster's scheduled drills.
 * @printedBy drill
 */
export interface DrillScheduleObject extends DrillSchedule {
  type: 'drill-schedule';
}
