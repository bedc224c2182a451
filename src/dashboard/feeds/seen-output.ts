import type { DescribedRun } from '../../engine/index.js';
import { printable } from '../../terminal/text.js';

/** Lines that are kept of a step. */
const KEPT = 12;

/**
 * The latest lines of output of steps that are under way. Temporal has the last line of each alone; here it is kept what was seen of them
 * since somebody looks.
 */
export class SeenOutput {
  private readonly lines = new Map<string, string[]>();
  private runId = '';

  /** Takes in a look at a run. @returns lines by the ids of the steps */
  add({ runId, activities }: Pick<DescribedRun, 'runId' | 'activities'>): ReadonlyMap<string, string[]> {
    if (runId !== this.runId) this.lines.clear();
    this.runId = runId;
    for (const step of this.lines.keys()) if (activities[step] === undefined) this.lines.delete(step);
    for (const [step, { line = '' }] of Object.entries(activities)) {
      const text = printable(line).trimEnd();
      const seen = this.lines.get(step) ?? [];
      if (text !== '' && seen.at(-1) !== text) this.lines.set(step, [...seen, text].slice(-KEPT));
    }
    return this.lines;
  }
}
