import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { KubewrightError } from '../../../src/errors.js';

/** Program → Debian package that brings it: everything that any lab runs on the machine. */
const PROGRAMS: Record<string, string> = {
  debootstrap: 'debootstrap',
  ip: 'iproute2',
  iptables: 'iptables',
  nft: 'nftables',
  unshare: 'util-linux',
  'mkfs.ext4': 'e2fsprogs',
  losetup: 'mount',
  perl: 'perl-base',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
};

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Packages whose program is not on this machine. @param more programs, as in the table above */
export async function missingPackages(more: Record<string, string>, path = PATH): Promise<string[]> {
  const missing = new Set<string>();
  for (const [program, name] of Object.entries({ ...PROGRAMS, ...more })) {
    const found = await Promise.any(
      path.split(':').map((directory) => access(join(directory, program), constants.X_OK)),
    ).then(
      () => true,
      () => false,
    );
    if (!found) missing.add(name);
  }
  return [...missing];
}

/**
 * Installs what is missing, and says so.
 *
 * @param more programs that this lab's hosts need
 * @throws KW610 when this is not a Debian-like system, or apt-get fails
 */
export async function ensurePackages(more: Record<string, string>, log: (line: string) => void): Promise<void> {
  const missing = await missingPackages(more);
  if (missing.length === 0) return;
  log(`installing what the lab needs: ${missing.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args: string[]) =>
    execa('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], { env, stdin: 'ignore', all: true, reject: false });
  const update = await aptGet('update');
  const install = update.failed ? update : await aptGet('install', '--yes', '--no-install-recommends', ...missing);
  if (!install.failed) return;
  throw new KubewrightError(
    'KW610',
    `The lab needs these packages, and apt-get could not install them: ${missing.join(' ')}.`,
    {
      hint: 'Install them by hand and run the command again.',
      output: (install.all ?? install.shortMessage).split('\n').slice(-10).join('\n'),
    },
  );
}
