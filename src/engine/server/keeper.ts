import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { isAlive } from '../processes/identity.js';
import { rotateLog } from '../processes/logs.js';
import { livingUsers } from '../processes/shared-record.js';
import { databasePath } from './launch.js';
import { type ServerRecord, serverRecords, stopProcesses, withoutProcesses } from './record.js';

/** Users that are killed never say that they leave: they are missed within this. */
export const LOOK_MS = 20_000;

/**
 * Looks after the embedded server of a state directory until it is stopped, or has another keeper: stops it when every user
 * was killed and nobody asked that it runs on, bounds its logs, and says on a shared file system that it runs here.
 */
export async function keepServer(stateDir: string, lookMs = LOOK_MS): Promise<void> {
  let last: ServerRecord | undefined;
  for (;;) {
    await sleep(lookMs);
    try {
      const record = await serverRecords(stateDir).read();
      if (record === undefined && last !== undefined && !existsSync(databasePath(stateDir))) return stopProcesses(last);
      if (record?.keeper?.pid !== process.pid) return;
      last = record;
      if ((await endIfUnused(record, stateDir)) === 'ended') return;
      for (const log of ['temporal.log', 'temporal-ui.log']) await rotateLog(join(stateDir, log));
    } catch {
      // A lock that is held, a disk that is full: nothing is known, so nothing is ended. The next look may know more.
    }
  }
}

async function endIfUnused(record: ServerRecord, stateDir: string): Promise<'ended' | 'kept'> {
  const records = serverRecords(stateDir);
  if (!(await isUnused(record))) {
    await records.touch();
    return 'kept';
  }
  // Asked again under the lock: a command may have come meanwhile.
  return records.update<'ended' | 'kept'>(async (present) => {
    if (present?.keeper?.pid !== process.pid) return { record: present, result: 'ended' };
    if (!(await isUnused(present))) return { record: present, result: 'kept' };
    await stopProcesses(present);
    return { record: withoutProcesses(present), result: 'ended' };
  });
}

/** A dead server that is wanted is started again by its users; without any there is only its UI to end. */
async function isUnused(record: ServerRecord): Promise<boolean> {
  if ((await livingUsers(record.users)).length > 0) return false;
  return !record.detached || !(await isAlive(record));
}

/** Entry of the keeper's own process. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { 'state-dir': { type: 'string' }, 'look-ms': { type: 'string' } } });
  await keepServer(values['state-dir'] ?? '', Number(values['look-ms'] ?? LOOK_MS));
  process.exit();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
