import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { entryDirectories } from '../../machine/cgroups.js';
import { shellSettings } from '../../machine/shell.js';
import { portName } from '../../network/switch.js';
import { hostFiles, REGISTRY } from '../../paths.js';
import { macAddress } from '../../plan/hosts.js';
import type { GuestSpec } from '../../types.js';
import type { Place } from '../carrier.js';
import { guestCommand } from './command-line.js';
import { imageOf } from './images.js';

/** Path of the socket that leads to a guest's agent. Beside the journal, where paths are short: a socket's has 107 bytes. */
export function agentSocket({ lab, host }: Place): string {
  return join(REGISTRY, lab.name, `${portName(host)}.agent`);
}

/** The disk itself is made at the next power-on, by guest.sh, where it belongs to the lab's own processes. */
export async function makeDisk({ labDirectory, host }: Place): Promise<void> {
  const { directory, disk } = hostFiles(labDirectory, host.name);
  await mkdir(directory, { recursive: true });
  await rm(disk, { force: true });
}

/** The shell assignments that guest.sh reads. */
export function guestSettings(place: Place, guest: GuestSpec, switchPid: number): string {
  const { labDirectory, lab, host } = place;
  const files = hostFiles(labDirectory, host.name);
  const image = imageOf(lab, guest);
  const port = portName(host);
  const agent = agentSocket(place);
  return shellSettings({
    DIRECTORY: files.directory,
    IMAGE: image.disk,
    GIB: String(lab.diskGiB),
    SWITCH: `/proc/${switchPid}/ns/net`,
    PORT: port,
    CGROUPS: entryDirectories(lab.cgroups, host.name),
    AGENT: agent,
    LOGIN_USER: host.user,
    PASSWORD_FILE: host.sudoPasswordEnv === null ? '' : files.sudoPassword,
    QEMU: guestCommand({
      architecture: guest.architecture,
      accelerator: image.accelerator,
      kernel: image.kernel,
      disk: files.disk,
      console: files.console,
      agent,
      port,
      mac: macAddress(host.address),
    }),
  });
}
