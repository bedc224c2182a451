import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** A machine as a record names it: a pid means something only on the machine, and in the boot, that gave it out. */
export interface Machine {
  hostname: string;
  /** Of /etc/machine-id; empty where there is none. */
  id: string;
  /** Changes with every boot; on Linux also with the PID namespace, for a container counts its own pids. */
  boot: string;
}

let own: Promise<Machine> | undefined;

/** This machine. It does not change while a process lives. */
export function thisMachine(): Promise<Machine> {
  own ??= look();
  return own;
}

async function look(): Promise<Machine> {
  const text = (path: string): Promise<string> =>
    readFile(path, 'utf8').then(
      (content) => content.trim(),
      () => '',
    );
  const bootId = await text('/proc/sys/kernel/random/boot_id');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return { hostname: hostname(), id: await text('/etc/machine-id'), boot: `${bootId}/${namespace.replace(/\D/g, '')}` };
}

/**
 * Whether a record comes from a machine other than `here`. Another boot of the same machine is none: what its record
 * names is gone, and nobody else can hold it.
 */
export function isOther(recorded: Machine, here: Machine): boolean {
  const sameBoot = recorded.boot === here.boot && here.boot !== '/';
  return !sameBoot && (recorded.hostname !== here.hostname || recorded.id !== here.id);
}
