import { copyFile, open, stat } from 'node:fs/promises';

/** A log that has grown past this is rotated: with the one kept beside it, 20 MB a log are the most that is held. */
const LOG_LIMIT_BYTES = 10 * 1024 * 1024;

/**
 * Bounds a log: what it holds moves to `PATH.1`, of which there is one, and the log begins anew. The file stays the same, for
 * a running process writes to it (and appends, so that it goes on at the new end); a line written in that moment may be lost.
 *
 * @returns whether it was rotated
 */
export async function rotateLog(path: string, limitBytes = LOG_LIMIT_BYTES): Promise<boolean> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= limitBytes) return false;
  // The copy has the mode of the log, which is 0600.
  await copyFile(path, `${path}.1`);
  const log = await open(path, 'r+');
  try {
    await log.truncate(0);
  } finally {
    await log.close();
  }
  return true;
}
