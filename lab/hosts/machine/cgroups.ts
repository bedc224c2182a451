import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { KubewrightError } from '../../../src/errors.js';
import { cgroupName } from '../paths.js';
import type { LabCgroups } from '../types.js';
import { delegate, handDownControllers, labParent, moveToOwnScope } from './delegation.js';
import { until } from './run.js';

/** One mounted cgroup hierarchy and where in it the calling process is. */
export interface Hierarchy {
  /** Empty for version 2. */
  controllers: string[];
  version: 1 | 2;
  /** Directory of the calling process's own cgroup. */
  own: string;
}

/**
 * Pairs /proc/self/cgroup with /proc/self/mountinfo. The machine's processes may sit in another cgroup in each
 * hierarchy, and in a container only a part of a hierarchy is mounted: the mount's root is taken off the path.
 */
export function parseHierarchies(cgroup: string, mountinfo: string): Hierarchy[] {
  const paths = cgroup
    .trim()
    .split('\n')
    .map((line) => /^(\d+):([^:]*):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ controllers: (match[2] ?? '').split(',').filter(Boolean), path: match[3] ?? '/' }));
  const found = new Map<string, Hierarchy>();
  for (const line of mountinfo.trim().split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '/', point = ''] = before.split(' ');
    const [type = '', , options = ''] = after.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const mounted = new Set(options.split(','));
    const entry = paths.find(({ controllers }) =>
      type === 'cgroup2'
        ? controllers.length === 0
        : controllers.length > 0 && controllers.every((c) => mounted.has(c)),
    );
    if (!entry) continue;
    const key = entry.controllers.join(',');
    const own = join(point, relative(root, entry.path));
    if (!found.has(key)) found.set(key, { controllers: entry.controllers, version: type === 'cgroup' ? 1 : 2, own });
  }
  return [...found.values()];
}

/**
 * The hierarchies that this machine mounts, with the caller's place in each.
 *
 * @throws KW611 when it mounts no version 2 hierarchy, not even an empty one beside version 1
 */
export async function readHierarchies(): Promise<Hierarchy[]> {
  const hierarchies = parseHierarchies(
    await readFile('/proc/self/cgroup', 'utf8'),
    await readFile('/proc/self/mountinfo', 'utf8'),
  );
  if (hierarchies.some(({ version }) => version === 2)) return hierarchies;
  throw new KubewrightError('KW611', 'No cgroup version 2 hierarchy is mounted on this machine.', {
    hint: 'Beside version 1 an empty one is enough: mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified',
  });
}

/** As `readHierarchies`; on version 2 the caller may be moved into a cgroup that can have children with controllers. */
export async function claimHierarchies(): Promise<Hierarchy[]> {
  const hierarchies = await readHierarchies();
  const [only, ...others] = hierarchies;
  if (!only || others.length > 0) return hierarchies;
  return (await moveToOwnScope(only.own)) ? await readHierarchies() : hierarchies;
}

/** Where a lab's cgroups will lie; makes nothing. */
export function planCgroups(lab: string, hierarchies: Hierarchy[]): LabCgroups {
  const unified = hierarchies.length === 1;
  const directory = ({ own }: Hierarchy): string => join(unified ? labParent(own) : own, cgroupName(lab));
  const version2 = hierarchies.find(({ version }) => version === 2);
  if (!version2) throw new Error('planCgroups: no version 2 hierarchy');
  const memory = hierarchies.find(({ controllers }) => controllers.includes('memory')) ?? version2;
  return {
    unified,
    directories: hierarchies.map(directory),
    processes: directory(version2),
    memory: directory(memory),
  };
}

/** The cgroup directories of one part of a lab (a host, or the switch). */
export function partDirectories(cgroups: LabCgroups, part: string): string[] {
  return cgroups.directories.map((directory) => join(directory, part));
}

/**
 * On version 2 a host's cgroup has two leaves, for systemd-nspawn hands controllers to the host's systemd only from a
 * cgroup that it has for itself: `keeper` for host.sh and whoever visits the host, `machine` for systemd-nspawn.
 */
const KEEPER = 'keeper';
const MACHINE = 'machine';

/** Where systemd-nspawn goes just before it starts; empty on version 1, where it stays. */
export function machineDirectory(cgroups: LabCgroups, host: string): string {
  return cgroups.unified ? join(cgroups.processes, host, MACHINE) : '';
}

/**
 * Removes what a host without a process has left below its own cgroups: each pod had some, and they outlive it. On a
 * machine of its own they would be gone with the power; cAdvisor spends three seconds on each that it finds.
 */
export async function clearCgroups(cgroups: LabCgroups, host: string): Promise<void> {
  const kept = new Set(cgroups.unified ? [KEEPER, MACHINE] : []);
  for (const directory of partDirectories(cgroups, host)) {
    for (const child of await childrenOf(directory)) {
      if (!kept.has(basename(child))) await removeCgroup(child);
      else for (const below of await childrenOf(child)) await removeCgroup(below);
    }
  }
}

/**
 * Directories that a process enters to become part of a host (or the switch): leaves, as version 2 demands. First of all
 * the one by which the lab's processes are found.
 */
export function entryDirectories(cgroups: LabCgroups, part: string): string[] {
  const { processes } = cgroups;
  const others = cgroups.directories.filter((directory) => directory !== processes);
  const directories = [processes, ...others].map((directory) => join(directory, part));
  return cgroups.unified ? directories.map((directory) => join(directory, KEEPER)) : directories;
}

/**
 * Makes the lab's cgroups and those of its parts.
 *
 * @throws KW612 when version 2 does not hand a controller down
 */
export async function makeCgroups(cgroups: LabCgroups, parts: string[]): Promise<void> {
  for (const directory of cgroups.directories) {
    if (cgroups.unified) await delegate(dirname(directory));
    await makeCgroup(directory);
    if (cgroups.unified) await handDownControllers(directory);
    for (const part of parts) await makePart(join(directory, part), cgroups.unified);
  }
}

async function makePart(directory: string, unified: boolean): Promise<void> {
  await makeCgroup(directory);
  if (!unified) return;
  await handDownControllers(directory);
  for (const leaf of [KEEPER, MACHINE]) await makeCgroup(join(directory, leaf));
}

async function makeCgroup(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  // Version 1 starts a cpuset empty, and no process may enter an empty one.
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(join(directory, file)) || !existsSync(join(directory, 'cgroup.clone_children'))) continue;
    await writeFile(join(directory, file), await readFile(join(directory, '..', file), 'utf8'));
  }
}

/** Ids of all processes in a cgroup and below it. Empty when it does not exist. */
export async function processesIn(directory: string): Promise<number[]> {
  const text = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '');
  const here = text.split('\n').filter(Boolean).map(Number);
  const below = await Promise.all((await childrenOf(directory)).map(processesIn));
  return [...here, ...below.flat()];
}

async function childrenOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
}

/**
 * Kills every process of a lab, or of one part of it (a host, or the switch), and waits until all are gone.
 *
 * @throws KW613 when one of them does not die within a minute
 */
export async function killAll(cgroups: LabCgroups, part = ''): Promise<void> {
  const directory = join(cgroups.processes, part);
  const gone = await until(async () => {
    const processes = await processesIn(directory);
    if (processes.length === 0) return true;
    await killOnce(directory, processes);
    for (const each of partDirectories(cgroups, part)) await thaw(each);
    return false;
  }, 60_000);
  if (gone) return;
  throw new KubewrightError(
    'KW613',
    `A process of the lab does not die: ${(await processesIn(directory)).join(', ')}.`,
    {
      hint: 'It waits for the kernel (state D in ps). Run `kubewright lab down` again later.',
    },
  );
}

async function killOnce(directory: string, processes: number[]): Promise<void> {
  try {
    // Since Linux 5.14: all at once, also those that fork at this moment.
    await writeFile(join(directory, 'cgroup.kill'), '1');
  } catch {
    for (const pid of processes) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself meanwhile.
      }
    }
  }
}

/**
 * Lets go of what version 1 holds frozen, for there it does not even die: runc freezes a container for a moment when it
 * starts it, and whoever takes its power then leaves it so for ever. Version 2 kills the frozen, too.
 */
async function thaw(directory: string): Promise<void> {
  const state = join(directory, 'freezer.state');
  if (!existsSync(state)) return;
  for (const child of await childrenOf(directory)) await thaw(child);
  // One that has gone meanwhile holds nothing.
  await writeFile(state, 'THAWED').catch(() => undefined);
}

/**
 * Removes a cgroup and everything below it. A process in it is killed: where `lab up` was killed, what it had just started
 * enters its cgroups one after the other, and perhaps only now, after all others were found and killed.
 *
 * @throws KW613 when it is not gone within half a minute
 */
export async function removeCgroup(directory: string): Promise<void> {
  for (const child of await childrenOf(directory)) await removeCgroup(child);
  // A cgroup stays busy for a moment after its last process has ended.
  const gone = await until(async () => {
    try {
      await rmdir(directory);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    }
    await killOnce(directory, await processesIn(directory));
    await thaw(directory);
    return false;
  }, 30_000);
  if (gone) return;
  throw new KubewrightError('KW613', `The cgroup ${directory} cannot be removed.`, {
    hint: 'A process in it waits for the kernel (state D in ps). Run `kubewright lab down` again later.',
  });
}
