import { setTimeout as sleep } from 'node:timers/promises';
import { rotateLog } from '../processes/logs.js';
import { livingUsers, type SharedRecord } from '../processes/shared-record.js';
import type { WorkerRecord } from './record.js';

/** Users that are killed never say that they leave: they are missed within this. */
export const LOOK_MS = 20_000;
/** Its starter writes the record right after it is ready; one look may come before that. */
const STRANGE_LOOKS = 2;
/** An ended install may be taken up again by a Reset in Temporal's UI; after an hour `install` has to bring a worker for it. */
const IDLE_MS = 60 * 60_000;

export interface UnusedOptions {
  records: SharedRecord<WorkerRecord>;
  /** Number of running installs on the worker's queue; throws when that cannot be known. */
  openRuns: () => Promise<number>;
  /** Time between two looks, in milliseconds; default 20 000. */
  lookMs?: number;
  /** How long one that was detached stays without any install, in milliseconds; default an hour. */
  idleMs?: number;
  signal: AbortSignal;
}

/**
 * Resolves when nobody wants this background worker any more: all its users have left or were killed, and either nobody asked
 * that it runs on (`--detach`), or there has been no install on its queue for long. Its record is gone then, so that nobody attaches to a
 * worker that drains. Also when another worker has taken its place. Resolves with `signal` as well.
 */
export async function untilUnused(options: UnusedOptions): Promise<void> {
  const { records, lookMs = LOOK_MS, signal } = options;
  const isUnused = unusedCheck(options);
  let strange = 0;
  while (!signal.aborted) {
    await sleep(lookMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      const record = await records.read();
      strange = record?.pid === process.pid ? 0 : strange + 1;
      if (strange >= STRANGE_LOOKS) return;
      if (record === undefined || strange > 0) continue;
      await records.touch();
      await rotateLog(record.log);
      if ((await isUnused(record)) && (await release(records, isUnused))) return;
    } catch {
      // A lock that is held, a server that does not answer: nothing is known, so nothing is ended. The next look may know more.
    }
  }
}

type Check = (record: WorkerRecord) => Promise<boolean>;

function unusedCheck({ openRuns, idleMs = IDLE_MS }: UnusedOptions): Check {
  let idleSince: number | undefined;
  return async ({ users, detached }) => {
    if ((await livingUsers(users)).length > 0) return false;
    if (!detached) return true;
    if ((await openRuns()) === 0) idleSince ??= performance.now();
    else idleSince = undefined;
    return idleSince !== undefined && performance.now() - idleSince >= idleMs;
  };
}

/** Asked again under the lock: a command may have come meanwhile. */
function release(records: SharedRecord<WorkerRecord>, isUnused: Check): Promise<boolean> {
  return records.update<boolean>(async (record) => {
    if (record?.pid !== process.pid) return { record, result: true };
    if (!(await isUnused(record))) return { record, result: false };
    return { record: undefined, result: true };
  });
}
