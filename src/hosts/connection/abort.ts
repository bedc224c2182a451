/**
 * Settles as `promise` does, or rejects with `signal.reason` itself (never wrapped: Temporal's CancelledFailure must
 * reach the worker as it is). What arrives after an abort is handed to `late`.
 */
export function abortable<T>(promise: Promise<T>, signal?: AbortSignal, late?: (value: T) => void): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason);
      promise.then(late, () => undefined);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const done = (): void => signal.removeEventListener('abort', onAbort);
    promise.then(
      (value) => {
        done();
        if (!signal.aborted) resolve(value);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
  });
}

/**
 * A controller that a signal aborts as well. Cheaper than `AbortSignal.any`, of which each script of each host would make two.
 *
 * @returns with `release`, to be called when nothing is to be aborted any more
 */
export function abortedBy(signal?: AbortSignal): { controller: AbortController; release: () => void } {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  return { controller, release: () => signal?.removeEventListener('abort', onAbort) };
}
