import { execa } from 'execa';
import { ensureBaseImage } from '../../../base/image.js';
import { asset } from '../../machine/assets.js';
import { entryDirectories } from '../../machine/cgroups.js';
import { shellQuote } from '../../machine/shell.js';
import { type Carrier, HOST_ENVIRONMENT, type Place, type ScriptOptions, type ScriptResult } from '../carrier.js';
import { startKeeper } from '../keeper.js';
import { bootId, diskUsage, initPid, loginsAllowed, sshListens } from './inside.js';
import { hostSettings, makeDisk } from './launch.js';

/** Hosts in namespaces of the machine's kernel: systemd by systemd-nspawn over a shared base image (see host.sh). */
export const namespaceCarrier: Carrier = {
  // An idle machine needs one to three seconds for a boot, a busy one has been seen to need thirty.
  bootLimit: 180_000,
  programs: () => ({ 'systemd-nspawn': 'systemd-container' }),
  prepare: async (_, log) => ({ base: await ensureBaseImage(log) }),
  makeDisk,
  launch: (place, switchPid) =>
    startKeeper(place, asset('hosts/carriers/namespace/host.sh'), hostSettings(place, switchPid)),
  pid: ({ lab, host }) => initPid(lab.cgroups, host.name),
  bootId: (_, pid) => bootId(pid),
  sshListens: ({ host }, pid) => sshListens(pid, host.sshPort),
  loginsAllowed: (_, pid) => loginsAllowed(pid),
  diskUsage: (_, pid) => diskUsage(pid),
  run,
};

/** A process of the machine enters the host's namespaces and cgroups. */
async function run(
  { lab, host }: Place,
  pid: number,
  script: string,
  { input, timeoutMs }: ScriptOptions,
): Promise<ScriptResult> {
  const join = entryDirectories(lab.cgroups, host.name).map(
    (directory) => `echo $$ > ${shellQuote(directory)}/cgroup.procs`,
  );
  const enter = `exec nsenter --target ${pid} --mount --uts --ipc --net --pid --root --wdns=/ bash -c ${shellQuote(script)}`;
  return await execa('bash', ['-ec', [...join, enter].join('\n')], {
    reject: false,
    timeout: timeoutMs,
    stripFinalNewline: true,
    env: { ...HOST_ENVIRONMENT, HOME: '/root' },
    extendEnv: false,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
}
