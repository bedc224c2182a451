import { HEALTH_COMPONENTS, type HealthComponent, type HealthVerdict, worse } from '../plan/findings.js';
import { type ClosedCheck, closedChecks } from './runs/check-reports.js';
import { readerOf } from './runs/history.js';
import type { Engine } from './types.js';

/** What a while was like: the worst verdict of its checks; `skipped` where all were left out, null where there was none. */
export type HealthCell = HealthVerdict | 'skipped' | null;

/** How a cluster was, from one moment to another, in slots of the same length. */
export interface HealthHistory {
  /** Name of the cluster. */
  cluster: string;
  /** Milliseconds since the epoch. */
  from: number;
  /** Milliseconds since the epoch. */
  to: number;
  /** Milliseconds that a cell stands for. */
  slotMs: number;
  /** How many checks ended in that time. */
  checks: number;
  /** How many of them were left out. */
  skipped: number;
  /** Each part of the cluster. */
  rows: HealthRow[];
}

/** How a part of a cluster was. */
export interface HealthRow {
  /** The part. */
  component: HealthComponent;
  /** A cell for each slot, the oldest first. */
  cells: HealthCell[];
}

/** Twice as many as a day holds of the shortest interval would be. */
const COUNTED = 20_000;
const DAY_MS = 24 * 3_600_000;

/**
 * How a cluster was in the last day, from the memos of its checks: one question for some hundred of them, and no report is read.
 *
 * @param slots how many cells
 */
export async function readHealthHistory(engine: Engine, cluster: string, slots = 48): Promise<HealthHistory> {
  const to = Date.now();
  const checks: ClosedCheck[] = [];
  for await (const check of closedChecks(readerOf(engine), cluster, { since: to - DAY_MS })) {
    if (checks.length >= COUNTED) break;
    checks.push(check);
  }
  return historyOf(cluster, checks, { from: to - DAY_MS, to, slots });
}

/** Puts checks into slots. Pure. */
export function historyOf(
  cluster: string,
  checks: readonly ClosedCheck[],
  { from, to, slots }: { from: number; to: number; slots: number },
): HealthHistory {
  const slotMs = (to - from) / slots;
  const none = (): HealthCell[] => Array.from({ length: slots }, () => null);
  const rows = HEALTH_COMPONENTS.map((component): HealthRow => ({ component, cells: none() }));
  const slotOf = ({ closedAt }: ClosedCheck): number => Math.min(slots - 1, Math.floor((closedAt - from) / slotMs));
  const leftOut = new Set<number>();
  for (const check of checks.filter(({ closedAt }) => closedAt >= from)) {
    const slot = slotOf(check);
    if (check.memo?.skipped !== undefined) leftOut.add(slot);
    for (const { component, cells } of rows) {
      const [before, seen] = [cells[slot], check.memo?.components?.[component]];
      if (seen !== undefined) cells[slot] = isVerdict(before) ? worse(before, seen) : seen;
    }
  }
  // That a check was left out says nothing where another one looked.
  for (const slot of leftOut) {
    if (rows.every(({ cells }) => cells[slot] === null)) for (const { cells } of rows) cells[slot] = 'skipped';
  }
  const skipped = checks.filter(({ memo }) => memo?.skipped !== undefined).length;
  return { cluster, from, to, slotMs, checks: checks.length, skipped, rows };
}

function isVerdict(cell: HealthCell | undefined): cell is HealthVerdict {
  return cell !== null && cell !== undefined && cell !== 'skipped';
}
