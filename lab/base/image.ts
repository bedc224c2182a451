import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { artifactPath, ensureArtifact, requireFreeSpace } from '../../src/artifacts/cache/cache.js';
import { readAptSource } from '../../src/artifacts/from-modules/apt-source.js';
import { KubewrightError } from '../../src/errors.js';
import { asset } from '../hosts/machine/assets.js';
import { readAptSettings, SUITE } from '../hosts/seed/apt.js';
import { recipeHash } from './recipe.js';

/** What a Debian host needs to be a systemd machine with SSH, and what kubeadm's preflight checks look for. */
const PACKAGES = [
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
  const key = { kind: KIND, version: `debian-${SUITE}-${architecture()}`, recipe: await recipeHash(PACKAGES) };
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
  const { mirror } = await readAptSource();
  const args = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, root, mirror];
  const bootstrap = await execa('debootstrap', args, { reject: false, all: true, env: await proxyEnvironment() });
  if (bootstrap.failed) {
    const log = await readFile(join(root, 'debootstrap', 'debootstrap.log'), 'utf8').catch(() => '');
    // debootstrap leaves /proc and /sys mounted when it is interrupted.
    await execa('umount', ['--recursive', '--quiet', join(root, 'proc'), join(root, 'sys')], { reject: false });
    throw failure('debootstrap', `${bootstrap.all ?? ''}\n${log}`);
  }
  const customise = await execa('bash', [asset('base/customise.sh'), root], { reject: false, all: true });
  if (customise.failed) throw failure('customise.sh', customise.all ?? '');
  await rm(join(root, 'debootstrap'), { recursive: true, force: true });
}

/** debootstrap downloads by wget, which does not read apt's settings. */
async function proxyEnvironment(): Promise<Record<string, string>> {
  const proxy = /^Acquire::http::Proxy "(.+)";$/m.exec(await readAptSettings())?.[1];
  return proxy ? { http_proxy: proxy } : {};
}

function failure(program: string, output: string): KubewrightError {
  return new KubewrightError('KW640', `The lab's base image could not be made: ${program} failed.`, {
    output: output.trim().split('\n').slice(-20).join('\n'),
    hint: 'Packages come from where this machine gets its own: see whether `apt-get update` works here.',
  });
}
