import { isKubewrightError } from '../../errors.js';
import { planCheck } from '../../plan/check.js';
import type { Depth } from '../../plan/depth.js';
import type { HealthFinding } from '../../plan/run.js';
import type { Action, Step } from '../../plan/types.js';
import { onEachHost } from '../each-host.js';
import type { StepContext, StepImplementation } from '../types.js';
import { checkApiServer } from './checkApiServer.js';
import { checkDns } from './checkDns.js';
import { checkEndpoint } from './checkEndpoint.js';
import { checkEtcd } from './checkEtcd.js';
import { checkHostHealth } from './checkHostHealth.js';
import { checkNodes } from './checkNodes.js';
import { checkOutsideNames } from './checkOutsideNames.js';
import { checkPodNetwork } from './checkPodNetwork.js';

/** The looks of a health check, by their actions. */
export const LOOKS = {
  checkHostHealth,
  checkApiServer,
  checkEndpoint,
  checkEtcd,
  checkNodes,
  checkDns,
  checkOutsideNames,
  checkPodNetwork,
} satisfies Partial<Record<Action, StepImplementation>>;

/**
 * Takes all looks of a health check at once, within another step: what an operation has to know before it begins, and when it ends.
 * What could not be looked at is a finding, too.
 */
export async function lookAtAll(context: StepContext, depth: Depth = 'deep'): Promise<HealthFinding[]> {
  const all = await onEachHost(planCheck(context.cluster, depth), (step) => findingsOf(context, step));
  return all.flat();
}

async function findingsOf(context: StepContext, step: Step): Promise<HealthFinding[]> {
  const look: StepImplementation | undefined = (LOOKS as Partial<Record<Action, StepImplementation>>)[step.action];
  // The plan of a check consists of looks, so this is a programming error.
  if (look === undefined) throw new Error(`${step.action} is no look`);
  try {
    return (await look.probe(within(context, step))).findings ?? [];
  } catch (error) {
    context.signal.throwIfAborted();
    if (!isKubewrightError(error)) throw error;
    return [{ code: error.code, host: error.host ?? step.host, evidence: error.message, hint: error.hint ?? '' }];
  }
}

/** The same context, for another step: its host is asked for only where the step has one. */
function within(context: StepContext, step: Step): StepContext {
  return Object.create(context, {
    step: { value: step },
    host: { get: () => context.hostNamed(step.host ?? '') },
  }) as StepContext;
}
