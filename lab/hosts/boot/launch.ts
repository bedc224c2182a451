import { spawn } from 'node:child_process';
import { mkdir, open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asset } from '../machine/assets.js';
import { entryDirectories, machineDirectory } from '../machine/cgroups.js';
import { run } from '../machine/run.js';
import { hostFiles } from '../paths.js';
import { macAddress } from '../plan/hosts.js';
import type { LabRecord, PlannedHost } from '../types.js';
import { portName } from './switch.js';

/** Makes a host's disk: a sparse file with an ext4 file system, which takes room as it is written to. */
export async function makeDisk(labDirectory: string, host: string, gibibytes: number): Promise<void> {
  const { directory, disk } = hostFiles(labDirectory, host);
  await mkdir(directory, { recursive: true });
  await writeFile(disk, '');
  await truncate(disk, gibibytes * 2 ** 30);
  // No reserve for root (who is who fills it), and no table is written before it is needed.
  await run('mkfs.ext4', ['-q', '-m', '0', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard', disk]);
}

/** A host that was just switched on. */
export interface Launched {
  /** Whether host.sh has ended already: the host will not come up. */
  ended: boolean;
}

/**
 * Switches a host on: starts host.sh, which outlives this process, and returns at once.
 *
 * @param switchPid a process in the network namespace of the lab's switch
 */
export async function launch(
  labDirectory: string,
  lab: LabRecord,
  host: PlannedHost,
  switchPid: number,
): Promise<Launched> {
  const files = hostFiles(labDirectory, host.name);
  await writeFile(files.settings, hostSettings(labDirectory, lab, host, switchPid));
  const console = await open(files.console, 'a');
  const launched = { ended: false };
  try {
    const child = spawn('bash', [asset('hosts/boot/host.sh'), files.settings], {
      // A session of its own: whatever ends this one (Ctrl-C, a closed terminal) does not end the host.
      detached: true,
      stdio: ['ignore', console.fd, console.fd],
      // Nothing of the caller's environment, which may hold secrets, is in a host's.
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
    });
    child.once('exit', () => {
      launched.ended = true;
    });
    child.unref();
  } finally {
    await console.close();
  }
  return launched;
}

/** The shell assignments that host.sh reads. */
export function hostSettings(labDirectory: string, lab: LabRecord, host: PlannedHost, switchPid: number): string {
  const { subnet } = lab.plan;
  const settings: Record<string, string> = {
    HOST: host.name,
    ADDRESS: host.address,
    PREFIX: String(subnet.prefixLength),
    GATEWAY: subnet.gateway,
    MAC: macAddress(host.address),
    PORT: portName(host),
    DIRECTORY: hostFiles(labDirectory, host.name).directory,
    BASE: lab.base,
    SWITCH: `/proc/${switchPid}/ns/net`,
    GUARD: join(lab.cgroups.processes, host.name),
    UNIFIED: lab.cgroups.unified ? '1' : '0',
    MACHINE: machineDirectory(lab.cgroups, host.name),
    LOGIN_USER: host.user,
    PASSWORD_FILE: host.sudoPasswordEnv === null ? '' : hostFiles(labDirectory, host.name).sudoPassword,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${shellQuote(value)}`);
  const cgroups = entryDirectories(lab.cgroups, host.name).map(shellQuote);
  return `${[...lines, `CGROUPS=(${cgroups.join(' ')})`].join('\n')}\n`;
}

/** One shell word. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
