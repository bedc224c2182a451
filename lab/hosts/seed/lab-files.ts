import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { hostFiles, labFiles } from '../paths.js';
import { clusterFile } from '../plan/cluster-file.js';
import type { LabRecord, LabUpOptions, PlannedHost } from '../types.js';
import { knownHostsLine, makeKey, writePrivate } from './keys.js';
import { readCommonSeed, writeSeed } from './seed.js';

/** Writes the files that a lab gives to its user, and every host's own files. */
export async function writeLabFiles(directory: string, lab: LabRecord, options: LabUpOptions): Promise<void> {
  const files = labFiles(directory);
  const { hosts } = lab.plan;
  const publicKey = await makeKey(files.privateKey, 'ed25519', `kubewright-lab-${lab.name}`);
  const common = await readCommonSeed(publicKey);
  const keys = await Promise.all(hosts.map((host) => writeSeed(directory, host, lab.plan.subnet, common)));
  await writePasswords(directory, hosts, options.sudoPassword);
  const lines = hosts.map((host, index) => knownHostsLine(host.address, host.sshPort, keys[index] ?? ''));
  await writeFile(files.knownHosts, lines.join(''));
  await writeFile(files.sshConfig, sshConfig(directory, hosts));
  await writeFile(files.clusterFile, await clusterFile(directory, lab, options));
}

/** Passwords for sudo, for host.sh to set; a generated one also stands where the user finds it. */
async function writePasswords(directory: string, hosts: PlannedHost[], given: string | undefined): Promise<void> {
  const generated = randomBytes(12).toString('base64url');
  for (const { name, sudoPasswordEnv } of hosts) {
    if (sudoPasswordEnv === null) continue;
    const known = given || process.env[sudoPasswordEnv];
    await writePrivate(hostFiles(directory, name).sudoPassword, known || generated);
    if (!known) await writePrivate(labFiles(directory).sudoPassword, generated);
  }
}

/** OpenSSH client configuration by host names: `ssh -F ssh_config cp-1`. */
function sshConfig(directory: string, hosts: PlannedHost[]): string {
  const files = labFiles(directory);
  const blocks = hosts.map((host) =>
    [
      `Host ${host.name}`,
      `  HostName ${host.address}`,
      `  User ${host.user}`,
      ...(host.sshPort === 22 ? [] : [`  Port ${host.sshPort}`]),
      ...(host.bastion === null ? [] : [`  ProxyJump ${host.bastion}`]),
    ].join('\n'),
  );
  const common = [
    'Host *',
    `  IdentityFile ${files.privateKey}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${files.knownHosts}`,
    '  GlobalKnownHostsFile none',
    '  StrictHostKeyChecking yes',
    '  ConnectTimeout 10',
    '  LogLevel ERROR',
  ].join('\n');
  return `${[...blocks, common].join('\n\n')}\n`;
}
