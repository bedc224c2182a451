import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { KubewrightError, messageOf } from '../../../src/errors.js';
import { cgroupName } from '../paths.js';
import { run, until } from './run.js';

/**
 * Cgroup version 2 hands controllers down only from a cgroup without processes of its own ("no internal processes").
 * The caller's own cgroup has at least the caller in it. So the caller moves into a leaf of it, and the lab's cgroups
 * become that leaf's neighbours: still below the cgroup that the caller was started in.
 */
const LEAF = 'kubewright-caller';

/** The cgroup that labs are made in: the caller's own, or its parent where the caller is in the leaf already. */
export function labParent(own: string): string {
  return basename(own) === LEAF ? dirname(own) : own;
}

/**
 * Makes `parent` able to hand its controllers down, and does it. All its processes move into the leaf, where the same
 * limits hold; `undelegate` moves them back. (Where systemd runs, `moveToOwnScope` has seen to it that the caller is the
 * only one. In a container it is the container's processes, as for any container engine inside a container.)
 *
 * @param parent directory of the caller's own cgroup (see `labParent`)
 * @throws KW612 when a controller cannot be handed down
 */
export async function delegate(parent: string): Promise<void> {
  // The root of the whole hierarchy (it alone has no type) may have both processes and children with controllers.
  if (existsSync(join(parent, 'cgroup.type'))) await moveAll(parent, join(parent, LEAF));
  await handDownControllers(parent);
}

/** Undoes `delegate` when the last lab is gone from `parent`. What cannot be undone does no harm. */
export async function undelegate(parent: string): Promise<void> {
  const leaf = join(parent, LEAF);
  const siblings = await readdir(parent).catch(() => []);
  if (!existsSync(leaf) || siblings.some((name) => name.startsWith(cgroupName('')))) return;
  try {
    const enabled = await words(join(parent, 'cgroup.subtree_control'));
    await writeFile(join(parent, 'cgroup.subtree_control'), enabled.map((name) => `-${name}`).join(' '));
    await moveAll(leaf, parent);
    await rmdir(leaf);
  } catch {
    // Somebody else uses them meanwhile.
  }
}

async function moveAll(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const pid of await words(join(from, 'cgroup.procs'))) {
    // One that has ended meanwhile needs no place.
    await writeFile(join(to, 'cgroup.procs'), pid).catch(() => {});
  }
}

/** Lets the children of a cgroup have every controller that it has. @throws KW612 when it does not */
export async function handDownControllers(directory: string): Promise<void> {
  const enabled = await words(join(directory, 'cgroup.subtree_control'));
  const missing = (await words(join(directory, 'cgroup.controllers'))).filter((name) => !enabled.includes(name));
  if (missing.length === 0) return;
  try {
    await writeFile(join(directory, 'cgroup.subtree_control'), missing.map((name) => `+${name}`).join(' '));
  } catch (cause) {
    throw new KubewrightError('KW612', `The cgroup ${directory} does not let its children have controllers.`, {
      hint: 'Start the lab in a cgroup of its own: systemd-run --scope --property=Delegate=yes kubewright lab up',
      output: messageOf(cause),
      cause,
    });
  }
}

/**
 * Where systemd runs the machine and the caller shares its cgroup with others (a login session does), systemd is asked
 * to move the caller, and nothing else, into a delegated scope of its own below the same slice.
 *
 * @param own directory of the caller's cgroup
 * @returns whether the caller was moved
 */
export async function moveToOwnScope(own: string): Promise<boolean> {
  const foreign = (await words(join(own, 'cgroup.procs'))).filter((pid) => Number(pid) !== process.pid);
  if (foreign.length === 0 || !existsSync('/run/systemd/system') || basename(own) === LEAF) return false;
  const slice = own.split('/').findLast((part) => part.endsWith('.slice')) ?? 'system.slice';
  const name = `kubewright-lab-${process.pid}.scope`;
  const properties = ['PIDs', 'au', '1', String(process.pid), 'Delegate', 'b', 'true', 'Slice', 's', slice];
  const manager = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'];
  await run('busctl', [
    'call',
    ...manager,
    'StartTransientUnit',
    'ssa(sv)a(sa(sv))',
    name,
    'fail',
    '3',
    ...properties,
    '0',
  ]);
  const moved = await until(async () => (await readFile('/proc/self/cgroup', 'utf8')).includes(name), 30_000);
  return moved === true;
}

async function words(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split(/\s+/).filter(Boolean);
}
