import { access, readdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KubewrightError } from '../../src/errors.js';
import { type JournalEntry, readJournal, registeredLabs, unregister } from './journal.js';
import { killAll, processesIn, removeCgroup } from './machine/cgroups.js';
import { undelegate } from './machine/delegation.js';
import { withLock } from './machine/lock.js';
import { until } from './machine/run.js';
import { restoreSharedSysctls } from './machine/shared-sysctls.js';
import { removeChain, removeLink } from './machine/uplink.js';
import { checkLabName, labDirectory, labFiles, MACHINE_LOCK, REGISTRY } from './paths.js';

/**
 * Takes a lab down by its journal, latest entry first. It needs nothing of the lab to be in order, and may be run again.
 *
 * @throws KW601 when there is no such lab, KW613 when one of its processes does not die
 */
export async function takeDown(name: string): Promise<void> {
  checkLabName(name);
  await withLock(MACHINE_LOCK, async () => {
    const found = await takeDownLocked(name);
    if (!found) throw new KubewrightError('KW601', `There is no lab "${name}".`);
  });
}

/** As `takeDown`, for callers that hold the machine's lock. @returns whether there was anything to take down */
export async function takeDownLocked(name: string): Promise<boolean> {
  const journal = await readJournal(name);
  const registered = (await registeredLabs()).includes(name);
  for (const entry of journal) if (entry.made === 'cgroups') await killAll(entry.cgroups);
  await undoAll([...journal].reverse());
  const leftDirectory = await removeUnregistered(name);
  await unregister(name);
  if ((await registeredLabs()).length === 0) {
    await restoreSharedSysctls();
    await rm(REGISTRY, { recursive: true, force: true });
  }
  return registered || leftDirectory;
}

/** Goes on after a failure, so that one thing in the way leaves no other behind; then throws it. */
async function undoAll(entries: JournalEntry[]): Promise<void> {
  const failures: unknown[] = [];
  for (const entry of entries) await undo(entry).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function undo(entry: JournalEntry): Promise<void> {
  switch (entry.made) {
    case 'directory':
      await disksReleased(entry.path);
      return await rm(entry.path, { recursive: true, force: true });
    case 'cgroups':
      for (const directory of entry.cgroups.directories) await removeCgroup(directory);
      if (entry.cgroups.unified) await undelegate(dirname(entry.cgroups.processes));
      return;
    case 'link':
      return await removeLink(entry.name);
    case 'chain':
      return await removeChain(entry.table, entry.parent, entry.chain);
  }
}

/** The kernel unmounts a host's disk and frees its loop device shortly after the last process is gone: waits for that. */
async function disksReleased(directory: string): Promise<void> {
  await until(async () => {
    const loops = (await readdir('/sys/block')).filter((name) => name.startsWith('loop'));
    const files = await Promise.all(
      loops.map((name) => readFile(`/sys/block/${name}/loop/backing_file`, 'utf8').catch(() => '')),
    );
    return !files.some((file) => file.startsWith(`${directory}/`));
  }, 60_000);
}

/** The directory of a lab whose journal is gone, as after a restart of the machine: the disks are all that is left. */
async function removeUnregistered(name: string): Promise<boolean> {
  const directory = labDirectory(name);
  const isLab = await access(labFiles(directory).record).then(
    () => true,
    () => false,
  );
  if (isLab) await rm(directory, { recursive: true, force: true });
  return isLab;
}

/**
 * Removes what labs have left whose processes are all gone, whatever ended them. Labs with a running process stay.
 *
 * @returns the names of the labs that were removed
 */
export async function clearLeftovers(): Promise<string[]> {
  return await withLock(MACHINE_LOCK, async () => {
    const removed = [];
    for (const name of await registeredLabs()) {
      if (await isRunning(name)) continue;
      await takeDownLocked(name);
      removed.push(name);
    }
    return removed;
  });
}

/** Takes every lab of this machine down, running or not. @returns their names */
export async function takeDownAll(): Promise<string[]> {
  return await withLock(MACHINE_LOCK, async () => {
    const names = await registeredLabs();
    for (const name of names) await takeDownLocked(name);
    return names;
  });
}

async function isRunning(name: string): Promise<boolean> {
  for (const entry of await readJournal(name)) {
    if (entry.made === 'cgroups' && (await processesIn(entry.cgroups.processes)).length > 0) return true;
  }
  return false;
}
