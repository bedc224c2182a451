import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { KubewrightError } from '../../../src/errors.js';
import { asset } from './assets.js';

/**
 * @param platform as Node names it
 * @param uid effective user id; -1 where there is none
 * @throws KW606 not Linux · KW607 not root
 */
export function checkMachine(platform: string = process.platform, uid = process.geteuid?.() ?? -1): void {
  if (platform !== 'linux') {
    throw new KubewrightError('KW606', `The lab needs Linux; this is ${platform}.`, {
      hint: 'Run it in a Linux virtual machine with root.',
    });
  }
  if (uid !== 0) {
    throw new KubewrightError('KW607', 'The lab needs root: it makes namespaces, mounts and network cards.', {
      hint: 'Run the command again with sudo.',
    });
  }
}

/**
 * Tries everything that a lab needs of the kernel. Needs the lab's packages.
 *
 * @param script what tries it, and prints the names of what does not work
 * @throws KW608 naming every kernel feature that is missing
 */
export async function checkKernel(script = asset('hosts/machine/probe.sh')): Promise<void> {
  const { stdout } = await execa('bash', [script, asset('hosts/carriers/namespace/guard-sysctls.pl')], {
    stdin: 'ignore',
  });
  if (stdout === '') return;
  throw new KubewrightError('KW608', `This machine's kernel lacks: ${stdout.split('\n').join(', ')}.`, {
    hint: 'Use a kernel of a general distribution; in a container, the lab needs a privileged one.',
  });
}

/** Room that each host may need on the machine's disk, in GiB: what an installed control plane was seen to use. */
const GIB_PER_HOST = 2;

/**
 * Mount options and systemd-nspawn's arguments divide paths at these characters, and have no common way to quote them.
 *
 * @throws KW615 for a state or cache directory with one of them in its path
 */
export function checkPath(directory: string): void {
  if (/^[^:,\\\s"']+$/.test(directory)) return;
  throw new KubewrightError('KW615', `A lab cannot live in ${JSON.stringify(directory)}.`, {
    hint: 'Set KUBEWRIGHT_STATE and KUBEWRIGHT_CACHE to paths without spaces, quotes, colons, commas and backslashes.',
  });
}

/** @throws KW609 when the disk that holds `directory` has too little room for this many hosts */
export async function checkSpace(directory: string, hosts: number): Promise<void> {
  let existing = directory;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  const free = (bavail * bsize) / 2 ** 30;
  const needed = hosts * GIB_PER_HOST;
  if (free >= needed) return;
  throw new KubewrightError(
    'KW609',
    `${hosts} hosts need ${needed} GiB of disk; ${existing} has ${free.toFixed(1)} GiB.`,
    {
      hint: 'Free some space, make fewer hosts, or set KUBEWRIGHT_STATE to a directory on a larger disk.',
    },
  );
}
