import type { DrillReport } from '../../plan/drill-report.js';

/**
 * What came of a fail-over drill.
 * @printedBy drill, watch
 */
export interface DrillObject extends DrillReport {
  type: 'drill';
}
