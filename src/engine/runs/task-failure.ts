import { messageOf } from '../../errors.js';
import type { Engine } from '../types.js';

/** Tries of a workflow task above which the workers' code fails at it: one is lost now and then with its worker. */
const HARMLESS_ATTEMPTS = 2;
/** The failure stands close to the end: the server writes no events for the tries behind it. */
const EVENTS_LOOKED_AT = 20;

/** How many tries a workflow task has had, as one sentence's worth of cause; undefined while that is harmless. */
export async function taskFailure(
  engine: Engine,
  workflowId: string,
  runId: string,
  attempts: number | undefined,
): Promise<string | undefined> {
  if (attempts === undefined || attempts <= HARMLESS_ATTEMPTS) return undefined;
  try {
    const { history } = await engine.client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: engine.settings.namespace,
      execution: { workflowId, runId },
      maximumPageSize: EVENTS_LOOKED_AT,
    });
    for (const event of history?.events ?? []) {
      const failed = event.workflowTaskFailedEventAttributes;
      if (failed) return failed.failure?.message || 'the worker said no cause';
    }
    return 'no worker brings it to its end in time';
  } catch (error) {
    return `the cause cannot be read: ${messageOf(error)}`;
  }
}
