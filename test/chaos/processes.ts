import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The records that the program keeps of the processes it started: what a person finds in the state directory. */
export interface ProcessRecord {
  pid: number;
  port?: number;
}

/** The embedded server; undefined when there is no record. */
export function serverRecord(stateDir: string): Promise<ProcessRecord | undefined> {
  return read(join(stateDir, 'server.json'));
}

/** The background worker, which is the installed cluster's; undefined when there is no record. */
export async function workerRecord(stateDir: string): Promise<ProcessRecord | undefined> {
  const names = await readdir(stateDir).catch(() => []);
  const [name] = names.filter((candidate) => /^worker.*\.json$/.test(candidate));
  return name === undefined ? undefined : read(join(stateDir, name));
}

async function read(file: string): Promise<ProcessRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(file, 'utf8')) as ProcessRecord;
    return record.pid > 0 ? record : undefined;
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** `kill -9`; nothing when it is gone. */
export function killHard(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
