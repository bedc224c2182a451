import { constants } from 'node:fs';
import { copyFile, lstat, open, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { KubewrightError, messageOf } from '../../errors.js';

export interface WrittenDraft {
  /** Where what was there before is kept. */
  backup?: string | undefined;
  /** False where the file has just this content already. */
  changed: boolean;
}

/**
 * Refuses a place before anybody is asked what to write there.
 *
 * @throws KubewrightError KW114 when the file is there and may not be replaced; KW115 when its directory is not there
 */
export async function refusePlace(path: string, force: boolean): Promise<void> {
  await refuseExisting(path, force);
  const directory = dirname(await targetOf(path));
  const isThere = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isThere) return;
  throw new KubewrightError('KW115', `${path} cannot be written: there is no directory ${directory}`, {
    hint: 'Make it, name another file, or - for standard output.',
  });
}

async function refuseExisting(path: string, force: boolean): Promise<void> {
  if (force || !(await exists(path))) return;
  throw new KubewrightError('KW114', `${path} is there already, and nothing was written`, {
    hint:
      'It is the file to write, with -f or without; --from reads one of another tool. Name another file, or let this one be ' +
      'replaced with --force: what is there now is kept as a backup.',
  });
}

/**
 * Writes a file as a whole or not at all. What was there before is kept beside it.
 *
 * @param force whether there may be one
 * @throws KubewrightError KW114 when there is one and may not be; KW115 when it cannot be written
 */
export async function writeDraft(path: string, text: string, force: boolean, now: Date): Promise<WrittenDraft> {
  await refuseExisting(path, force);
  const target = await targetOf(path);
  const temporary = join(dirname(target), `.${basename(target)}-${process.pid}`);
  try {
    if ((await readIfThere(target)) === text) return { changed: false };
    const file = await open(temporary, 'wx');
    await file.writeFile(text).finally(() => file.close());
    const backup = (await exists(target)) ? await backUp(target, now) : undefined;
    await rename(temporary, target);
    return { changed: true, backup };
  } catch (error) {
    await rm(temporary, { force: true });
    throw new KubewrightError('KW115', `${path} cannot be written: ${messageOf(error)}`, {
      hint: 'Name another file, or - for standard output.',
      cause: error,
    });
  }
}

/** Where a link leads, also when nothing is there: the link stays, and the file behind it is written. */
async function targetOf(path: string): Promise<string> {
  const link = await readlink(path).catch(() => undefined);
  if (link === undefined) return path;
  return realpath(path).catch(() => resolve(dirname(path), link));
}

/** A link that leads nowhere is there, too. */
async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function readIfThere(path: string): Promise<string | undefined> {
  return (await exists(path)) ? await readFile(path, 'utf8') : undefined;
}

async function backUp(path: string, now: Date): Promise<string> {
  const backup = `${path}.backup-${now.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  await copyFile(path, backup, constants.COPYFILE_EXCL);
  return backup;
}
