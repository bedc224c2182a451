import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { REGISTRY } from './paths.js';
import type { LabCgroups } from './types.js';

/**
 * What a lab has made, or was about to make, on the machine. An entry is written *before* the thing is made, so that
 * whatever dies at whatever moment, the journal names at least everything that is there. Undoing an entry whose thing
 * was never made does nothing.
 */
export type JournalEntry =
  | { made: 'directory'; path: string }
  | { made: 'cgroups'; cgroups: LabCgroups }
  | { made: 'link'; name: string }
  | { made: 'chain'; table: 'filter' | 'nat'; parent: string; chain: string }
  | { made: 'shared-sysctls' };

function journalDirectory(lab: string): string {
  return join(REGISTRY, lab);
}

/** Names of all labs that this machine holds something of, whoever made them. */
export async function registeredLabs(): Promise<string[]> {
  const entries = await readdir(REGISTRY, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Takes the name. @returns false when another lab has it */
export async function register(lab: string): Promise<boolean> {
  await mkdir(REGISTRY, { recursive: true });
  try {
    await mkdir(journalDirectory(lab));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

export async function note(lab: string, entry: JournalEntry): Promise<void> {
  await appendFile(join(journalDirectory(lab), 'journal'), `${JSON.stringify(entry)}\n`);
}

/** Entries, oldest first. A last line that was cut off names something that was not begun yet. */
export async function readJournal(lab: string): Promise<JournalEntry[]> {
  const text = await readFile(join(journalDirectory(lab), 'journal'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as JournalEntry);
}

/** Frees the name: the last act of taking a lab down. */
export async function unregister(lab: string): Promise<void> {
  await rm(journalDirectory(lab), { recursive: true, force: true });
}
