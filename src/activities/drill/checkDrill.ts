import { KubewrightError } from '../../errors.js';
import type { HealthFinding } from '../../plan/run.js';
import { lookAtAll } from '../check/looks.js';
import type { StepContext, StepImplementation } from '../types.js';
import { powerCommand } from './power.js';

/** Findings that are named. */
const NAMED = 4;

/**
 * A cluster is drilled only where a health check finds nothing: what is broken on purpose would come on top of what is broken already.
 * One bad look is no refusal: it is looked twice.
 */
export const checkDrill: StepImplementation = {
  withoutLease: true,

  async probe(context) {
    requirePower(context);
    const findings = await lookAtAll(context);
    if (findings.length === 0) {
      return { done: true, found: 'a health check finds nothing', changes: [], data: { healthy: true } };
    }
    const problem = unhealthy(context.cluster.name, findings);
    return { done: false, found: problem.message, changes: ['mend what was found'], problem };
  },

  /** @throws KubewrightError KW671 */
  async apply(context) {
    const findings = await lookAtAll(context);
    if (findings.length > 0) throw unhealthy(context.cluster.name, findings);
  },
};

/** @throws KubewrightError KW673 when the worker has no command to give a host its power back, or to take it */
function requirePower(context: StepContext): void {
  if (context.step.with?.power !== true) return;
  powerCommand(context, 'on');
  powerCommand(context, 'off');
}

/** What was found, in short. */
export function inShort(findings: readonly HealthFinding[]): string {
  const named = findings.slice(0, NAMED).map(({ code, host, evidence }) => {
    const where = host === null || evidence.startsWith(`${host}`) ? '' : `${host}: `;
    return `${code} ${where}${evidence.slice(0, 200)}`;
  });
  const more = findings.length - named.length;
  return `${named.join('; ')}${more === 0 ? '' : `; and ${more} more`}`;
}

function unhealthy(cluster: string, findings: readonly HealthFinding[]): KubewrightError {
  return new KubewrightError('KW671', `${cluster} is not healthy, so nothing of it is broken: ${inShort(findings)}`, {
    hint: '`kubewright health --now` shows all that is wrong, with what to do about it. Then start the drill anew.',
  });
}
