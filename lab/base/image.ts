import { join } from 'node:path';
import { execa } from 'execa';
import { artifactPath, ensureArtifact, requireFreeSpace } from '../../src/artifacts/cache/cache.js';
import { KubewrightError } from '../../src/errors.js';
import { asset } from '../hosts/machine/assets.js';
import { SUITE } from '../hosts/seed/apt.js';
import { debootstrap } from './debootstrap.js';
import { recipeHash } from './recipe.js';

/** What a Debian host needs to be a systemd machine with SSH, and what kubeadm's preflight checks look for. */
export const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'openssh-server',
  'iproute2',
  'iptables',
  'ca-certificates',
  'kmod',
  'procps',
  'curl',
  'sudo',
  'iputils-ping',
  'ethtool',
  'socat',
  'conntrack',
  'psmisc',
];

/** Kept low, for the base image counts against the cache's 3 GB: measured 294 MiB while it is made, 133 MiB after. */
const GIGABYTES = 0.5;

const KIND = 'base-image';

/**
 * The root of the base image that all lab hosts share, made by debootstrap when it is not in the cache (about a minute).
 *
 * @throws KW640 when it cannot be made; KW701 when the disk has no room
 */
export async function ensureBaseImage(log: (line: string) => void): Promise<string> {
  const key = {
    kind: KIND,
    version: `debian-${SUITE}-${architecture()}`,
    recipe: await recipeHash(PACKAGES, asset('base')),
  };
  const directory = await ensureArtifact(
    key,
    async (partial) => {
      log(`making the hosts' base image (Debian ${SUITE}), once: about a minute`);
      await requireFreeSpace(join(artifactPath(key), '..'), GIGABYTES, 'the base image');
      await build(join(partial, 'root'));
    },
    log,
  );
  return join(directory, 'root');
}

function architecture(): 'amd64' | 'arm64' {
  return process.arch === 'arm64' ? 'arm64' : 'amd64';
}

async function build(root: string): Promise<void> {
  const failed = await debootstrap(root, { suite: SUITE, packages: PACKAGES });
  if (failed !== undefined) throw failure('debootstrap', failed);
  const customise = await execa('bash', [asset('base/customise.sh'), root], { reject: false, all: true });
  if (customise.failed) throw failure('customise.sh', customise.all ?? '');
}

function failure(program: string, output: string): KubewrightError {
  return new KubewrightError('KW640', `The lab's base image could not be made: ${program} failed.`, {
    output: output.trim().split('\n').slice(-20).join('\n'),
    hint: 'Packages come from where this machine gets its own: see whether `apt-get update` works here.',
  });
}
