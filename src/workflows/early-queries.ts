import { ApplicationFailure } from '@temporalio/common';
import type { ActivateInput, WorkflowInterceptors } from '@temporalio/workflow';
import { ASK_AGAIN } from './types.js';

/**
 * Refuses queries that would leave a run in a state that its history does not know.
 *
 * A query to a run that no worker has in memory comes with the history as it is at that moment: at its end may stand events for
 * which no workflow task has been started yet. The SDK (1.24.0, `history_update.rs`) carries those out as well, to answer by
 * them, and keeps the run in memory. The next workflow task then brings only the events behind them: what is one task in the
 * history has been two activations. Whoever carries the history out anew gets one, and schedules what became ready in
 * another order: the task fails as not deterministic, for ever. A killed worker, a `status` and a step that ends are all it takes.
 *
 * A failed query, on the other hand, makes the SDK forget the run (`failed_completion` in `managed_run.rs`), so the next workflow task
 * begins with the history from its first event. Whoever asks again then is answered.
 */
export function interceptors(): WorkflowInterceptors {
  const seen = new Seen();
  return {
    internals: [
      {
        activate(input, next) {
          if (isQuery(input)) refuse(seen);
          else seen.activation(input);
          next(input);
        },
      },
    ],
  };
}

/** The SDK never mixes queries with other jobs. */
function isQuery({ activation }: ActivateInput): boolean {
  return activation.jobs?.some((job) => job.queryWorkflow != null) ?? false;
}

function refuse(seen: Seen): void {
  if (seen.isAhead) throw ApplicationFailure.nonRetryable(ASK_AGAIN, 'EarlyQuery');
}

type Activation = Pick<ActivateInput['activation'], 'historyLength' | 'historySizeBytes' | 'timestamp'>;

/** Tells by what activations say of the history whether each belongs to a workflow task that has been started. */
export class Seen {
  private last: { length: number; started: string } | undefined;

  /** Whether the run has been told of events that no workflow task has brought. */
  isAhead = false;

  /** The event that starts a workflow task tells time and size of the history: longer and with neither new, it has none. */
  activation({ activation }: { activation: Activation }): void {
    const { historyLength, historySizeBytes, timestamp } = activation;
    const length = historyLength ?? 0;
    const started = [historySizeBytes, timestamp?.seconds, timestamp?.nanos].join();
    if (this.last !== undefined && length > this.last.length) this.isAhead = started === this.last.started;
    this.last = { length, started };
  }
}
