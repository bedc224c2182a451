import { setTimeout as sleep } from 'node:timers/promises';
import { rotateLog } from '../processes/logs.js';
import { livingUsers, type SharedRecord } from '../processes/shared-record.js';
import type { WorkerRecord } from './record.js';

/** Users that are killed never say that they leave: they are missed within this. */
const LOOK_MS = 20_000;
/** Its starter writes the record right after it is ready; one look may come before that. */
const STRANGE_LOOKS = 2;

export interface UnusedOptions {
  records: SharedRecord<WorkerRecord>;
  /** Number of running installs on the worker's queue; throws when that cannot be known. */
  openRuns: () => Promise<number>;
  /** Time between two looks, in milliseconds; default 20 000. */
  lookMs?: number;
  signal: AbortSignal;
}

/**
 * Resolves when nobody wants this background worker any more: all its users have left or were killed, and either nobody asked
 * that it runs on (`--detach`), or no install is left on its queue. Its record is gone then, so that nobody attaches to a
 * worker that drains. Also when another worker has taken its place. Resolves with `signal` as well.
 */
export async function untilUnused({ records, openRuns, lookMs = LOOK_MS, signal }: UnusedOptions): Promise<void> {
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
      if ((await isUnused(record, openRuns)) && (await release(records, openRuns))) return;
    } catch {
      // A lock that is held, a server that does not answer: nothing is known, so nothing is ended. The next look may know more.
    }
  }
}

async function isUnused({ users, detached }: WorkerRecord, openRuns: () => Promise<number>): Promise<boolean> {
  if ((await livingUsers(users)).length > 0) return false;
  return !detached || (await openRuns()) === 0;
}

/** Asked again under the lock: a command may have come meanwhile. */
function release(records: SharedRecord<WorkerRecord>, openRuns: () => Promise<number>): Promise<boolean> {
  return records.update<boolean>(async (record) => {
    if (record?.pid !== process.pid) return { record, result: true };
    if (!(await isUnused(record, openRuns))) return { record, result: false };
    return { record: undefined, result: true };
  });
}
