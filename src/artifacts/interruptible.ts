/** What shells report for a program that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;

/** The first Ctrl-C asks what runs to stop, so that it can clear up; a second one ends the process. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort();
  };
  // Not `once`: that takes the listener away before the others are called, and libraries that clear up at the exit
  // (signal-exit) end the process when they find themselves the only listeners.
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
