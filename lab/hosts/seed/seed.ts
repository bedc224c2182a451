import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type AptSource, readAptSource } from '../../../src/artifacts/from-modules/apt-source.js';
import { hostFiles } from '../paths.js';
import { macAddress } from '../plan/hosts.js';
import type { PlannedHost, Subnet } from '../types.js';
import { readAptSettings, readResolvConf, SUITE, SUITES, sourcesList } from './apt.js';
import { makeHostKeys } from './keys.js';

/** What all hosts of a lab are given alike. */
export interface CommonSeed {
  aptSource: AptSource;
  aptSettings: string;
  resolvConf: string;
  /** Public key of whoever uses the lab. */
  authorizedKey: string;
}

export async function readCommonSeed(authorizedKey: string): Promise<CommonSeed> {
  const [aptSource, aptSettings, resolvConf] = await Promise.all([
    readAptSource(),
    readAptSettings(),
    readResolvConf(),
  ]);
  return { aptSource, aptSettings, resolvConf, authorizedKey };
}

/**
 * Writes the files that make a copy of the base image into this host; they are copied onto its disk at the first boot.
 *
 * @returns the host's ed25519 key as known_hosts wants it
 */
export async function writeSeed(
  labDirectory: string,
  host: PlannedHost,
  subnet: Subnet,
  common: CommonSeed,
): Promise<string> {
  const { seed } = hostFiles(labDirectory, host.name);
  const files: Record<string, string> = {
    '/etc/hostname': `${host.name}\n`,
    '/etc/hosts': `127.0.0.1 localhost\n${host.address} ${host.name}\n`,
    [MACHINE_ID]: newMachineId(),
    '/etc/resolv.conf': common.resolvConf,
    '/etc/apt/sources.list': sourcesList(common.aptSource, host.guest ? SUITES[host.guest.distribution] : SUITE),
    '/etc/apt/apt.conf.d/90kubewright-lab': common.aptSettings,
    '/etc/ssh/sshd_config.d/kubewright-lab.conf': sshdSettings(host),
    '/root/.ssh/authorized_keys': `${common.authorizedKey}\n`,
    ...(host.guest ? { '/etc/systemd/network/10-kubewright-lab.network': guestNetwork(host, subnet) } : {}),
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(seed, path)), { recursive: true });
    await writeFile(join(seed, path), content);
  }
  await chmod(join(seed, 'root'), 0o700);
  await chmod(join(seed, 'root/.ssh'), 0o700);
  return await makeHostKeys(join(seed, 'etc/ssh'), host.name);
}

/** Gives a host what no two machines share: a new machine-id and new host keys. Copied onto its next empty disk. */
export async function renewIdentity(labDirectory: string, host: string): Promise<void> {
  const { seed } = hostFiles(labDirectory, host);
  const directory = join(seed, 'etc/ssh');
  for (const name of await readdir(directory)) {
    if (name.startsWith('ssh_host_')) await rm(join(directory, name));
  }
  await makeHostKeys(directory, host);
  await writeFile(join(seed, MACHINE_ID), newMachineId());
}

const MACHINE_ID = '/etc/machine-id';

function newMachineId(): string {
  return `${randomBytes(16).toString('hex')}\n`;
}

function sshdSettings(host: PlannedHost): string {
  return [
    'PasswordAuthentication no',
    `PermitRootLogin ${host.user === 'root' ? 'prohibit-password' : 'no'}`,
    ...(host.sshPort === 22 ? [] : [`Port ${host.sshPort}`]),
    '',
  ].join('\n');
}

/** A namespace host finds its card with its address on it; a guest's kernel finds a bare card, and systemd-networkd sets it up. */
export function guestNetwork({ address }: PlannedHost, { prefixLength, gateway }: Subnet): string {
  return [
    '[Match]',
    `MACAddress=${macAddress(address)}`,
    '',
    '[Network]',
    `Address=${address}/${prefixLength}`,
    `Gateway=${gateway}`,
    'IPv6AcceptRA=no',
    '',
  ].join('\n');
}
