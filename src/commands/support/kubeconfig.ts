import { chmod, constants, copyFile, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { KubewrightError, messageOf } from '../../errors.js';

/** A kubeconfig holds the key to everything; a terminal keeps what it shows. */
export function refuseTerminal(isTerminal: boolean): void {
  if (!isTerminal) return;
  throw new KubewrightError('KW531', 'a kubeconfig is a secret and is not printed on a terminal', {
    hint: 'Give --output FILE, or pipe it: kubewright kubeconfig cluster.yaml --output - | …',
  });
}

/** What was done to the file; nothing when it holds the same already. */
export interface Written {
  changed: boolean;
  backup?: string;
}

/** Writes beside the target and renames, so that nobody reads half a file. Never readable by others, not for a moment. */
export async function writeKubeconfig(target: string, content: string, now: Date): Promise<Written> {
  const present = await readFile(target, 'utf8').catch(() => undefined);
  if (present === content) {
    await chmod(target, 0o600);
    return { changed: false };
  }
  const temporary = join(dirname(target), `.kubeconfig-${process.pid}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    const backup = present === undefined ? undefined : await backUp(target, now);
    await rename(temporary, target);
    return { changed: true, backup };
  } catch (error) {
    await rm(temporary, { force: true });
    throw new KubewrightError('KW533', `the kubeconfig cannot be written to ${target}: ${messageOf(error)}`, {
      hint: 'Give another place with --output.',
      cause: error,
    });
  }
}

async function backUp(target: string, now: Date): Promise<string> {
  const backup = `${target}.backup-${now.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  await copyFile(target, backup, constants.COPYFILE_EXCL);
  await chmod(backup, 0o600);
  await removeOldBackups(target);
  return backup;
}

/** Each is an administrator's key: the newest few are a way back, more of them are only more to steal. */
const BACKUPS_KEPT = 3;

/** Only what `backUp` has named: their names sort by time. */
async function removeOldBackups(target: string): Promise<void> {
  const prefix = `${basename(target)}.backup-`;
  const isOurs = (name: string): boolean => name.startsWith(prefix) && /^\d{8}T\d{6}Z$/.test(name.slice(prefix.length));
  const backups = (await readdir(dirname(target))).filter(isOurs).sort();
  for (const name of backups.slice(0, -BACKUPS_KEPT)) await rm(join(dirname(target), name), { force: true });
}
