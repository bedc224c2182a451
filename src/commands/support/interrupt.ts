/**
 * Turns Ctrl-C, and a polite SIGTERM, into something that can be waited for. SIGHUP is left alone: when the terminal is
 * gone there is nobody to tell anything. This process ends; worker and server miss it within half a minute and end in order,
 * unless another command uses them or they were detached.
 */
export interface Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** @param onSecond what a second Ctrl-C does: the first one is taking too long for somebody */
export function catchInterrupts(onSecond: () => void): Interrupt {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) onSecond();
    else controller.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
