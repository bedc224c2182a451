import type { Cluster } from '../cluster/types.js';
import type { DrillOptions } from './drill.js';
import type { HeldBy, SkippedCheck } from './run.js';

/**
 * What a scheduled drill is started with, by a schedule that may be months old. The drill is planned when it is due, by the worker that
 * carries it out, from what was applied last.
 */
export interface DrillRequest {
  /** The cluster as it was when the drill was scheduled: its control planes know better. */
  known: Cluster;
  /** See `RunInput`. */
  searchAttributes?: boolean;
  /** What was asked for. */
  options: DrillOptions;
}

/** What comes of the planning of a scheduled drill while something else changes the cluster: no drill. */
export type SkippedDrill = SkippedCheck;

/** Type of the workflow that a schedule of drills starts. */
export const SCHEDULED_DRILL = 'scheduledDrill';

/**
 * A drill that is taken up later than this after it was due is left out, in milliseconds: nobody was there for it, and what it would
 * break then is a cluster that somebody may be busy with.
 */
export const LATEST_BEGIN_MS = 10 * 60_000;

/** Why a scheduled drill broke nothing, or did not end as a drill does. */
export interface NoDrill {
  /** Stable code, `KW` and three digits. */
  code: string;
  /** What happened, one sentence. */
  message: string;
  /** What to do about it; may be empty. */
  hint: string;
}

/** What came of a drill that was due. The report of one that was carried out stands in the drill's own result. */
export interface ScheduledDrillReport {
  /** Name of the cluster. */
  cluster: string;
  /** When that was known, milliseconds since the epoch. */
  at: number;
  /**
   * `drilled`: it came to its end, whatever went wrong within. `skipped`: something else held the cluster, or nobody was there in time;
   * nothing was begun. `refused`: the cluster is not to be drilled as it is, or the drill was ended before its time.
   */
  outcome: 'drilled' | 'skipped' | 'refused';
  /** Of one that was not carried out: why. */
  why?: NoDrill;
  /** Of a skipped one: what holds the cluster; missing where it was late, or that is not known. */
  heldBy?: HeldBy;
}
