import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { entryDirectories, machineDirectory } from '../../machine/cgroups.js';
import { run } from '../../machine/run.js';
import { shellSettings } from '../../machine/shell.js';
import { portName } from '../../network/switch.js';
import { hostFiles } from '../../paths.js';
import { macAddress } from '../../plan/hosts.js';
import type { Place } from '../carrier.js';

/** Makes a host's disk: a sparse file with an ext4 file system, which takes room as it is written to. */
export async function makeDisk({ labDirectory, lab, host }: Place): Promise<void> {
  const { directory, disk } = hostFiles(labDirectory, host.name);
  await mkdir(directory, { recursive: true });
  await writeFile(disk, '');
  await truncate(disk, lab.diskGiB * 2 ** 30);
  // No reserve for root (who is who fills it), and no table is written before it is needed.
  await run('mkfs.ext4', ['-q', '-m', '0', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard', disk]);
}

/** The shell assignments that host.sh reads. */
export function hostSettings({ labDirectory, lab, host }: Place, switchPid: number): string {
  const { subnet } = lab.plan;
  const files = hostFiles(labDirectory, host.name);
  return shellSettings({
    HOST: host.name,
    ADDRESS: host.address,
    PREFIX: String(subnet.prefixLength),
    GATEWAY: subnet.gateway,
    MAC: macAddress(host.address),
    PORT: portName(host),
    DIRECTORY: files.directory,
    BASE: lab.base ?? '',
    SWITCH: `/proc/${switchPid}/ns/net`,
    GUARD: join(lab.cgroups.processes, host.name),
    UNIFIED: lab.cgroups.unified ? '1' : '0',
    MACHINE: machineDirectory(lab.cgroups, host.name),
    LOGIN_USER: host.user,
    PASSWORD_FILE: host.sudoPasswordEnv === null ? '' : files.sudoPassword,
    CGROUPS: entryDirectories(lab.cgroups, host.name),
  });
}
