import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Unfinished directories carry their owner in their name: `.NAME.PID-STARTTIME.partial`. A pid alone is not enough, for
 * pids are used again; with the start time (clock ticks since boot, field 22 of /proc/PID/stat) it names one process.
 */
const PARTIAL = /^\..+\.(\d+)-(\d+)\.partial$/;

/** Start time of a process in clock ticks since boot, `0` where /proc does not exist, undefined when it is gone. */
export function startTime(pid: number): string | undefined {
  if (process.platform !== 'linux') return isSignallable(pid) ? '0' : undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name (field 2, in brackets) may hold spaces and brackets: count from the last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds its pid but will write nothing more.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function isSignallable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The name of an unfinished directory that belongs to this process. */
export function partialName(name: string): string {
  return `.${name}.${process.pid}-${startTime(process.pid) ?? '0'}.partial`;
}

/** True when `entry` names an unfinished directory whose owner no longer runs. */
export function isOrphan(entry: string): boolean {
  const match = PARTIAL.exec(entry);
  return match !== null && startTime(Number(match[1])) !== match[2];
}

/**
 * Removes what interrupted builds left behind in `directory`; what a living process is still building stays.
 *
 * @returns the names that were removed
 */
export async function sweepOrphans(directory: string): Promise<string[]> {
  const entries = await readdir(directory).catch(() => []);
  const orphans = entries.filter(isOrphan);
  for (const orphan of orphans) {
    // A compiler that outlived its killed builder may still write a file while its directory goes.
    await rm(join(directory, orphan), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  return orphans;
}
