import { isDeepStrictEqual } from 'node:util';
import type { OperationView, StepView } from './told.js';

/** What one listener knows of an operation's steps: of thousands, a few change at a time. */
export class StepChanges {
  private known = new Map<string, StepView>();
  private runId: string | undefined;

  /** The operation with those steps alone that differ from what was told before; all of them where it is another run. */
  since(operation: OperationView | null): OperationView | null {
    const isWhole = operation?.runId !== this.runId;
    const before = isWhole ? new Map<string, StepView>() : this.known;
    this.runId = operation?.runId;
    this.known = new Map(operation?.steps.map((step) => [step.id, step]));
    if (operation === null) return null;
    const steps = operation.steps.filter((step) => !isDeepStrictEqual(before.get(step.id), step));
    return { ...operation, isWhole, steps };
  }
}
