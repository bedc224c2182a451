import type { HealthFinding } from '../../plan/run.js';
import type { Sight } from '../../plan/sight.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';

/** What a look came to: what is wrong, or, where nothing is, one sentence on what was seen. */
export interface Look {
  findings: HealthFinding[];
  /** For a healthy cluster. */
  found: string;
  /** What was seen besides, whatever is wrong; missing where the look tells nothing more. */
  seen?: Sight;
}

/**
 * A step that looks and changes nothing. What it finds is no failure: it has done what it is there for. One that cannot
 * look at all throws, and that becomes a finding, too.
 */
export function lookOnly(look: (context: StepContext) => Promise<Look>): StepImplementation {
  return {
    async probe(context): Promise<Probe> {
      const { findings, found, seen } = await look(context);
      const summary =
        findings.length === 0
          ? found
          : findings
              .map(({ evidence }) => evidence)
              .join('; ')
              .slice(0, 500);
      return { done: true, found: summary, changes: [], findings, ...(seen === undefined ? {} : { seen }) };
    },
    async apply() {
      throw new Error('a health check changes nothing');
    },
  };
}
