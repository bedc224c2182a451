import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { KubewrightError } from '../../errors.js';

/** Whether something failed because no more can be written: a full disk, or a used-up quota. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/**
 * The error for a disk that filled up.
 *
 * @param path what was written
 * @param what that is for people, such as an address
 */
export async function diskFull(path: string, what: string, cause: unknown): Promise<KubewrightError> {
  return new KubewrightError('KW707', `The disk is full: ${await describeDisk(path)}. Stopped at ${what}.`, {
    hint:
      'Free some space there, or set KUBEWRIGHT_CACHE to a directory on a larger disk. ' +
      'On the same disk the same command goes on from where it was.',
    cause,
  });
}

/** `/dev/sda1, mounted at /var`; where that cannot be told, the directory. */
async function describeDisk(path: string): Promise<string> {
  const directory = dirname(resolve(path));
  try {
    const mount = await mountPoint(directory);
    const device = await deviceAt(mount);
    return device ? `${device}, mounted at ${mount}` : `the one mounted at ${mount}`;
  } catch {
    return `the one that holds ${directory}`;
  }
}

/** The uppermost directory that lies on the same device. */
async function mountPoint(directory: string): Promise<string> {
  const { dev } = await stat(directory);
  for (let at = directory; ; at = dirname(at)) {
    const above = dirname(at);
    if (above === at || (await stat(above)).dev !== dev) return at;
  }
}

/** From the kernel's table, the last mount of a place is the one that is seen there. */
async function deviceAt(mount: string): Promise<string | undefined> {
  const table = await readFile('/proc/self/mounts', 'utf8').catch(() => '');
  const rows = table.split('\n').map((line) => line.split(' '));
  return rows.findLast(([, point]) => point === mount)?.[0];
}
