/**
 * Queue on which a worker takes what ends steps. One of its own: an abort must not wait behind the very steps that it is
 * to end, nor behind those of other clusters.
 */
export function stopQueueOf(taskQueue: string): string {
  return `${taskQueue}/stop`;
}
