import { readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { asset } from '../../machine/assets.js';
import { processesIn } from '../../machine/cgroups.js';
import type { GuestSpec, PlannedHost } from '../../types.js';
import type { Carrier, Place } from '../carrier.js';
import { startKeeper } from '../keeper.js';
import { QEMU } from './command-line.js';
import { agentSocket, guestSettings, makeDisk } from './launch.js';
import { prepareGuests } from './prepare.js';
import { runByAgent } from './scripts.js';

/** How long a question may take, in ms. */
const QUESTION_LIMIT = 5_000;

/** Hosts with a kernel of their own, under QEMU (see guest.sh). */
export const guestCarrier: Carrier = {
  // Half a minute on an idle machine; emulated beside a cluster that is being installed, several.
  bootLimit: 600_000,
  programs: (hosts) =>
    Object.fromEntries([
      ...hosts.map((host) => QEMU[guestOf(host).architecture]).map((qemu) => [qemu.program, qemu.package]),
      ['resize2fs', 'e2fsprogs'],
      ['useradd', 'passwd'],
    ]),
  prepare: async (hosts, log, signal) => ({ guests: await prepareGuests(hosts.map(guestOf), log, signal) }),
  makeDisk,
  launch: (place, switchPid) =>
    startKeeper(place, asset('hosts/carriers/guest/guest.sh'), guestSettings(place, guestOf(place.host), switchPid)),
  pid,
  bootId: (place) => answer(place, 'cat /proc/sys/kernel/random/boot_id'),
  sshListens: async (place) =>
    (await answer(place, `ss --no-header --listening --tcp 'sport = :${place.host.sshPort}'`)) !== undefined,
  loginsAllowed: async (place) => (await answer(place, 'test -e /run/nologin || echo allowed')) !== undefined,
  diskUsage: async (place) => {
    const text = await answer(place, 'stat --file-system --format "%S %b %a" /');
    const [block = 0, blocks = 0, free = 0] = text?.split(' ').map(Number) ?? [];
    return text === undefined ? undefined : { sizeBytes: block * blocks, freeBytes: block * free };
  },
  run: (place, _, script, options) => runByAgent(agentSocket(place), place.host.name, script, options),
};

function guestOf({ name, guest }: PlannedHost): GuestSpec {
  if (!guest) throw new Error(`${name} is no guest`);
  return guest;
}

/** QEMU: what guest.sh becomes as soon as disk and network are there. */
async function pid({ lab, host }: Place): Promise<number | undefined> {
  for (const process of await processesIn(join(lab.cgroups.processes, host.name))) {
    const program = await readlink(`/proc/${process}/exe`).catch(() => '');
    if (basename(program).startsWith('qemu-system-')) return process;
  }
  return undefined;
}

/** What a short script prints; undefined when the guest does not answer, or there is nothing to print. */
async function answer(place: Place, script: string): Promise<string | undefined> {
  const result = await runByAgent(agentSocket(place), place.host.name, script, { timeoutMs: QUESTION_LIMIT }).catch(
    () => undefined,
  );
  return result?.exitCode === 0 && result.stdout !== '' ? result.stdout : undefined;
}
