import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubewrightError } from '../../../src/errors.js';
import { asset } from '../machine/assets.js';
import { entryDirectories, processesIn } from '../machine/cgroups.js';
import { run, until } from '../machine/run.js';
import type { LabCgroups, LabPlan, PlannedHost } from '../types.js';

/** Name of the cgroup that holds the switch. Host names cannot clash with it: they have no underscore. */
export const SWITCH_PART = '_switch';

/** A host's port on the bridge. Names of interfaces are short, so it is named after the address's last two octets. */
export function portName(host: PlannedHost): string {
  const [, , third, fourth] = host.address.split('.');
  return `port-${third}-${fourth}`;
}

/**
 * Starts the lab's switch: a network namespace with a bridge in it, held by one sleeping process. A namespace of its
 * own, because filter rules and br_netfilter's settings there are the lab's alone, and go with it.
 *
 * @returns the process's id
 * @throws KW620 when it does not come up
 */
export async function startSwitch(cgroups: LabCgroups, plan: LabPlan): Promise<number> {
  const directories = entryDirectories(cgroups, SWITCH_PART);
  spawn('bash', [asset('hosts/network/switch.sh'), ...directories], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env.PATH },
  }).unref();
  const pid = await until(() => switchPid(cgroups), 30_000);
  if (pid === undefined) {
    throw new KubewrightError('KW620', "The lab's network namespace could not be made.", {
      hint: 'See whether `unshare --net true` works on this machine.',
    });
  }
  await inSwitch(pid, 'nft', ['-f', '-'], faultTable(plan));
  return pid;
}

/** The switch's process: the one that has made its bridge and sleeps under this name (see switch.sh). */
export async function switchPid(cgroups: LabCgroups): Promise<number | undefined> {
  for (const pid of await processesIn(join(cgroups.processes, SWITCH_PART))) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (commandLine.startsWith('kubewright-lab-switch\0')) return pid;
  }
  return undefined;
}

/** Runs a command in the switch's network namespace. */
export async function inSwitch(pid: number, command: string, args: string[], input?: string): Promise<string> {
  const options = input === undefined ? {} : { input };
  return await run('nsenter', [`--net=/proc/${pid}/ns/net`, command, ...args], options);
}

/**
 * Rules on the bridge itself, where every frame passes, ARP included. The sets are empty until `cut` fills them; the two
 * last rules are what makes a host's kind. Addresses of Services are the cluster's own: a packet to one that kube-proxy does
 * not answer for would follow the default route, and find whatever has that address around the machine.
 */
export function faultTable({ hosts, subnet, serviceSubnet }: LabPlan): string {
  const addresses = (kind: 'bastion' | 'no-mirror'): string =>
    hosts
      .filter((host) => host.kinds.includes(kind))
      .map((host) => host.address)
      .join(', ');
  const behindBastion = addresses('bastion');
  const noMirror = addresses('no-mirror');
  return `table bridge lab {
  set cut { type ifname; }
  set cut_pairs { type ifname . ifname; }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname @cut drop
    oifname @cut drop
    iifname . oifname @cut_pairs drop
    oifname "uplink" ip daddr ${serviceSubnet} drop
${behindBastion && `    ip saddr ${subnet.gateway} ip daddr { ${behindBastion} } drop\n`}${
  noMirror && `    oifname "uplink" ip saddr { ${noMirror} } ip daddr != ${subnet.gateway} drop\n`
}  }
}
`;
}
