import { isKubewrightError, KubewrightError, messageOf } from '../errors.js';
import type { Step } from '../plan/types.js';
import type { Comparison } from './applied/difference.js';
import { onEachHost } from './each-host.js';
import type { Probe } from './types.js';

/** What is known of one step without having changed anything. */
export type Finding = LookedAt & { comparison?: Comparison };

/** What came of looking at one step. */
export type LookedAt =
  | { step: Step; state: 'true'; found: string; warnings: string[] }
  | { step: Step; state: 'to-do'; found: string; changes: string[]; warnings: string[] }
  /** It cannot be looked at before the steps that it needs are done. */
  | { step: Step; state: 'later'; after: string[] }
  /** It could not be looked at although everything it needs is there, or its host cannot be reached. */
  | { step: Step; state: 'problem'; error: KubewrightError; warnings?: string[] };

export interface LookOptions {
  plan: Step[];
  probe: (step: Step) => Promise<Probe>;
  onFinding?: (finding: Finding) => void;
}

/**
 * Looks at every step of a plan and changes nothing: hosts side by side as far as `onEachHost` goes, the steps of one host one after the other, and
 * what concerns all hosts last. A host that cannot be reached is asked once, not once a step.
 *
 * @returns findings in the order of the plan
 */
export async function lookAtPlan({ plan, probe, onFinding }: LookOptions): Promise<Finding[]> {
  const findings = new Map<string, Finding>();
  const lookAt = async (steps: Step[]): Promise<void> => {
    let unreachable: KubewrightError | undefined;
    for (const step of steps) {
      const finding: Finding = unreachable
        ? { step, state: 'problem', error: unreachable }
        : await lookAtStep(step, probe, unmet(step, findings));
      // KW2xx is the host or the way to it: the next step would only wait for the same answer.
      if (finding.state === 'problem' && finding.error.code.startsWith('KW2')) unreachable = finding.error;
      findings.set(step.id, finding);
      onFinding?.(finding);
    }
  };
  await onEachHost(byHost(plan), lookAt);
  await lookAt(plan.filter((step) => step.host === null));
  return plan.flatMap((step) => findings.get(step.id) ?? []);
}

function byHost(plan: Step[]): Step[][] {
  const groups = new Map<string, Step[]>();
  for (const step of plan) {
    if (step.host !== null) groups.set(step.host, [...(groups.get(step.host) ?? []), step]);
  }
  return [...groups.values()];
}

/** Needs that were looked at and do not hold. What was not looked at yet counts as holding: its own line tells. */
function unmet(step: Step, findings: Map<string, Finding>): string[] {
  return step.needs.filter((id) => (findings.get(id)?.state ?? 'true') !== 'true');
}

async function lookAtStep(step: Step, probe: LookOptions['probe'], missing: string[]): Promise<Finding> {
  try {
    const { done, found, changes, warnings = [], problem, comparison } = await probe(step);
    const more = comparison === undefined ? {} : { comparison };
    if (problem !== undefined) return { step, state: 'problem', error: problem, warnings, ...more };
    if (done) return { step, state: 'true', found, warnings, ...more };
    return { step, state: 'to-do', found, changes, warnings, ...more };
  } catch (cause) {
    const error = isKubewrightError(cause) ? cause : unexpected(step, cause);
    if (missing.length > 0 && !error.code.startsWith('KW2')) return { step, state: 'later', after: missing };
    return { step, state: 'problem', error };
  }
}

function unexpected(step: Step, cause: unknown): KubewrightError {
  const message = `this step could not be looked at: ${messageOf(cause)}`;
  return new KubewrightError('KW499', message, { step: step.id, host: step.host ?? undefined, cause });
}
