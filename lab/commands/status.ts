import type { StatusOptions } from '../command.js';
import { guestWord } from '../hosts/carriers/guest/images.js';
import { openLab } from '../hosts/index.js';
import { registeredLabs } from '../hosts/journal.js';
import { type HostStatus, hostStatus } from '../hosts/status.js';

/** `kubewright lab status`: a table of hosts, or JSON. */
export async function statusCommand(options: StatusOptions): Promise<void> {
  if (options.all) {
    const names = await registeredLabs();
    process.stdout.write(options.json ? `${JSON.stringify(names)}\n` : names.map((name) => `${name}\n`).join(''));
    return;
  }
  const lab = await openLab(options.name);
  const hosts = await Promise.all(lab.hosts.map((host) => hostStatus(lab, host)));
  const status = { name: lab.name, directory: lab.directory, vip: lab.vip, clusterFile: lab.files.clusterFile, hosts };
  process.stdout.write(options.json ? `${JSON.stringify(status, null, 2)}\n` : table(hosts));
}

function table(hosts: HostStatus[]): string {
  const rows = hosts.map((host) => [
    host.name,
    host.address,
    [host.role, ...host.kinds, ...(host.guest ? [guestWord(host.guest), host.guest.accelerator] : [])].join(','),
    host.running ? (host.sshAnswers ? 'running' : 'no ssh') : 'off',
    host.cutFromAll ? 'cut' : host.cutFrom.length > 0 ? `cut from ${host.cutFrom.join(',')}` : 'connected',
    host.memoryBytes === undefined ? '-' : `${Math.round(host.memoryBytes / 2 ** 20)} MiB`,
    host.disk ? `${Math.round(100 * (1 - host.disk.freeBytes / host.disk.sizeBytes))}%` : '-',
  ]);
  const all = [['HOST', 'ADDRESS', 'ROLE', 'POWER', 'NETWORK', 'MEMORY', 'DISK'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}
