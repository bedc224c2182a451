import { readdir, readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { thisMachine } from './machine.js';

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** What the system says of its start: clock ticks and the boot that they count from on Linux, a date elsewhere. */
  startTime: string;
}

/**
 * The identity of a running process, or undefined when there is none with this pid. A zombie is none, but for one of
 * whose threads some are still there: what was killed holds its ports and files until the last of them has ended.
 */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const startTime = process.platform === 'linux' ? await linuxStartTime(pid) : await startTimeByPs(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const present = await identityOf(identity.pid);
  return present?.startTime === identity.startTime;
}

/** This process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return (await identityOf(process.pid)) ?? { pid: process.pid, startTime: '' };
}

/**
 * Fields 3 (state) and 22 (start time) of /proc/PID/stat, see proc(5); the name in field 2 may hold spaces and
 * brackets.
 */
async function linuxStartTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 20 || fields[0] === 'X') return undefined;
  if (fields[0] === 'Z' && (await readdir(`/proc/${pid}/task`).catch(() => [])).length < 2) return undefined;
  return `${fields[19]}@${(await thisMachine()).boot}`;
}

async function startTimeByPs(pid: number): Promise<string | undefined> {
  const result = await execa('ps', ['-o', 'lstart=', '-p', String(pid)], { reject: false });
  const text = result.stdout?.trim();
  return text === '' || result.exitCode !== 0 ? undefined : text;
}
