import { proxySinks, type Sinks, workflowInfo } from '@temporalio/workflow';
import type { HealthReport } from './reports.js';

/** What a check tells the worker that carries it out; nothing of it stands in its history. */
export interface HealthSinks extends Sinks {
  health: {
    /** It has looked, and this is what it came to. */
    ended(report: HealthReport): void;
  };
}

/** Tells the worker what a check came to, for its metrics: the worker that has carried it out, and none that only reads it again. */
export function reportToWorker(report: HealthReport): void {
  if (workflowInfo().unsafe.isReplaying) return;
  proxySinks<HealthSinks>().health.ended(report);
}
