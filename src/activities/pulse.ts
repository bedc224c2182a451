import type { StepHeartbeat } from './types.js';

/**
 * How often a running step says that it lives while nothing changes, as a share of its heartbeat timeout: every 4 s of 10. A
 * hosted Temporal bills each heartbeat, and any server writes each to its database, so as seldom as a busy machine allows; an abort
 * reaches the step with one.
 */
const UNCHANGED_SHARE = 0.4;

/** A change is told this much later, together with what has changed meanwhile: a step that is over by then says nothing. */
const CHANGED_MS = 1_000;

/** With many steps at once each tells its changes less often: about 50 a second in all, as far as the heartbeat timeout allows. */
const FOR_EACH_STEP_MS = 20;

/** The heartbeats of all steps of a worker. */
export class Pulses {
  #running = 0;

  /**
   * Begins to beat for a step.
   *
   * @param beat sends one heartbeat
   * @param timeoutMs the activity's heartbeat timeout
   * @returns `changed` tells what the step is at from now on, `end` ends its beats
   */
  begin(beat: (state: StepHeartbeat) => void, first: StepHeartbeat, timeoutMs: number) {
    const unchangedMs = timeoutMs * UNCHANGED_SHARE;
    let state = first;
    let isTold = false;
    let last = Date.now();
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      clearTimeout(timer);
      timer = setTimeout(
        send,
        Math.max(0, last + (isTold ? unchangedMs : Math.min(unchangedMs, this.#changedMs())) - Date.now()),
      );
    };
    const send = (): void => {
      last = Date.now();
      isTold = true;
      beat(state);
      arm();
    };
    this.#running += 1;
    arm();
    return {
      changed: (next: StepHeartbeat): void => {
        if (next.stage === state.stage && next.line === state.line) return;
        state = next;
        if (!isTold) return;
        isTold = false;
        arm();
      },
      end: (): void => {
        this.#running -= 1;
        clearTimeout(timer);
      },
    };
  }

  #changedMs(): number {
    return Math.max(CHANGED_MS, this.#running * FOR_EACH_STEP_MS);
  }
}
