import { constants } from 'node:fs';
import { access, copyFile, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { KubewrightError, messageOf } from '../../errors.js';

export interface WrittenDraft {
  /** Where what was there before is kept. */
  backup?: string | undefined;
  /** False where the file has just this content already. */
  changed: boolean;
}

/** @throws KubewrightError KW114 when the file is there and may not be replaced */
export async function refuseExisting(path: string, force: boolean): Promise<void> {
  if (force || !(await exists(path))) return;
  throw new KubewrightError('KW114', `${path} is there already, and nothing was written`, {
    hint: 'Name another file, or let it be replaced with --force: what is there now is kept as a backup.',
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
  const temporary = join(dirname(path), `.${basename(path)}-${process.pid}`);
  try {
    if ((await readIfThere(path)) === text) return { changed: false };
    const file = await open(temporary, 'wx');
    await file.writeFile(text).finally(() => file.close());
    const backup = (await exists(path)) ? await backUp(path, now) : undefined;
    await rename(temporary, path);
    return { changed: true, backup };
  } catch (error) {
    await rm(temporary, { force: true });
    throw new KubewrightError('KW115', `${path} cannot be written: ${messageOf(error)}`, {
      hint: 'Name another file, or - for standard output.',
      cause: error,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
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
