import pLimit, { type LimitFunction } from 'p-limit';
import { abortable } from '../hosts/connection/abort.js';
import { hostOf } from './prepare/target.js';
import type { StepContext } from './types.js';

/** How many workers may be without their runtime or kubelet for a moment at the same time. */
const WORKERS_AT_ONCE = 10;

const turns = new Map<string, LimitFunction>();

/**
 * Does what interrupts a living host, such as the restart of its container runtime, while it is that host's turn: control
 * planes and etcd hosts of a cluster one at a time, for together they are the cluster's quorum and its address; workers
 * ten at a time. `act` has to come back only when the host is well again.
 *
 * Holds within one worker process: the workers of a team do not know of each other's turns.
 *
 * @param what for the waiting step's last line: "containerd is restarted on another control plane"
 */
export function inTurn<T>(context: StepContext, what: string, act: () => Promise<T>): Promise<T> {
  const { cluster, signal } = context;
  const isWorker = hostOf(context).role === 'worker';
  const key = JSON.stringify([cluster.name, isWorker]);
  const turn = turns.get(key) ?? pLimit(isWorker ? WORKERS_AT_ONCE : 1);
  turns.set(key, turn);
  if (turn.activeCount >= turn.concurrency) context.progress(`waiting: ${what} on another host`);
  const done = turn(async () => {
    signal.throwIfAborted();
    return act();
  });
  return abortable(done, signal);
}
