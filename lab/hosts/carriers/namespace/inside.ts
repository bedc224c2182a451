import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { processesIn } from '../../machine/cgroups.js';
import type { LabCgroups } from '../../types.js';

/**
 * A running host's PID 1, as the machine counts processes; undefined when the host is off.
 *
 * It is the one process of the host's cgroup that is number 1 of a process namespace directly below this one's: pods
 * have a namespace further down.
 */
export async function initPid(cgroups: LabCgroups, host: string): Promise<number | undefined> {
  for (const pid of await processesIn(join(cgroups.processes, host))) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (/^NSpid:\t\d+\t1$/m.test(status)) return pid;
  }
  return undefined;
}

/** The id that each boot has of its own, as processes on the host see it. */
export async function bootId(init: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${init}/root/proc/sys/kernel/random/boot_id`, 'utf8').catch(() => undefined);
  return text?.trim();
}

/** Whether something listens on the host's SSH port, read from its network namespace: for hosts that cannot be reached. */
export async function sshListens(init: number, port: number): Promise<boolean> {
  const table = await readFile(`/proc/${init}/net/tcp`, 'utf8').catch(() => '');
  // Local address and port in hexadecimal; state 0A is LISTEN.
  return table.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`);
}

/** Whether users other than root may log in: systemd removes this file when the boot has come that far. */
export async function loginsAllowed(init: number): Promise<boolean> {
  const refused = await readFile(`/proc/${init}/root/run/nologin`).then(
    () => true,
    () => false,
  );
  return !refused;
}

/** Bytes of a running host's disk. */
export async function diskUsage(init: number): Promise<{ sizeBytes: number; freeBytes: number } | undefined> {
  const stats = await statfs(`/proc/${init}/root`).catch(() => undefined);
  return stats && { sizeBytes: stats.blocks * stats.bsize, freeBytes: stats.bavail * stats.bsize };
}
