import { type CancellationScope, patched } from '@temporalio/workflow';
import type { Unit } from './units.js';

/** The tries that are under way, each in a scope of its own, so that a decision can end one and leave the others alone. */
export class Attempts {
  private readonly scopes = new Map<string, CancellationScope>();

  /** Runs one try of a step in a scope; `letGo` cancels that scope while it runs. */
  async during<T>(step: Unit, scope: CancellationScope, act: () => Promise<T>): Promise<T> {
    this.scopes.set(step.id, scope);
    try {
      return await scope.run(act);
    } finally {
      this.scopes.delete(step.id);
    }
  }

  /**
   * Ends the tries of these steps. Each lets go of its host; what it started there runs on. Runs of 0.1.0 let a try that
   * was under way come to its end.
   */
  letGo(ids: string[]): void {
    const open = ids.flatMap((id) => this.scopes.get(id) ?? []);
    if (open.length === 0 || !patched('let-go-of-tries')) return;
    for (const scope of open) scope.cancel();
  }
}
