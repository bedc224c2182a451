import { lookUntil, notYet, seen } from '../../waiting.js';
import { isAlive, type ProcessIdentity } from './identity.js';

const POLL_MS = 50;
/** A killed process is gone as soon as the kernel gets to it; one that hangs in a broken disk never is. */
const KILL_LIMIT_MS = 5_000;

/**
 * Asks a process group to end (SIGTERM), and ends it (SIGKILL) when it does not within `graceMs`. Returns when it is
 * gone. Only ever the process that was recorded: a pid that now belongs to another process is left alone.
 */
export async function terminate(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (!(await isAlive(identity))) return;
  signalGroup(identity.pid, 'SIGTERM');
  if (await endsWithin(identity, graceMs)) return;
  signalGroup(identity.pid, 'SIGKILL');
  // Its port and its files are free only when it is gone; on a busy machine that is not at once.
  await endsWithin(identity, KILL_LIMIT_MS);
}

async function endsWithin(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const look = async () => ((await isAlive(identity)) ? notYet() : seen(true));
  return (await lookUntil(look, { patienceMs: limitMs, everyMs: POLL_MS })) ?? false;
}

/** The group first, for helpers of its own; the process alone where it leads no group. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // No such group or process: the next target, or it has ended meanwhile.
    }
  }
}
