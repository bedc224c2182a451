import type { Engine } from '../../../src/engine/index.js';

/**
 * Every text in an answer of Temporal's, one a line: strings, and the bytes of payloads as they are before anyone decodes
 * them into something else.
 */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

/** What anyone reads of a run while it is under way: heartbeats, failures of attempts, attributes. Nothing before it began. */
export async function describeTexts(engine: Engine, workflowId: string): Promise<string[]> {
  const { namespace } = engine.settings;
  const ask = engine.client.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId } });
  return textsOf(await ask.catch(() => undefined));
}

/** What Temporal's UI shows above a run: the current details. Nothing while no worker answers. */
export async function detailTexts(engine: Engine, workflowId: string): Promise<string[]> {
  const handle = engine.client.workflow.getHandle(workflowId);
  const ask = (): Promise<unknown> => handle.query('__temporal_workflow_metadata');
  return textsOf(await engine.client.connection.withDeadline(Date.now() + 3_000, ask).catch(() => undefined));
}

/** Whole histories of all runs of all clusters that the server knows. */
export async function historyTexts(engine: Engine): Promise<string[]> {
  const texts: string[] = [];
  for await (const run of engine.client.workflow.list()) {
    const { events } = await engine.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
    texts.push(run.workflowId, ...textsOf(events));
  }
  return texts;
}
