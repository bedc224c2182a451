import { note } from '../journal.js';
import { uplinkName } from '../paths.js';
import type { Subnet } from '../types.js';
import { run, tryRun } from './run.js';
import { forwardingKey, writeSysctl } from './shared-sysctls.js';

/**
 * The lab's only card in the machine's own network namespace: one end of a veth pair, whose other end is a port of the
 * lab's bridge. The machine is a neighbour of the hosts (it sees their ARP, gratuitous ARP of the VIP included) and
 * their way outside.
 *
 * @param switchPid a process in the network namespace that holds the bridge
 */
export async function makeUplink(lab: string, subnet: Subnet, switchPid: number): Promise<void> {
  const link = uplinkName(lab);
  await note(lab, { made: 'link', name: link });
  await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', String(switchPid)]);
  await run('ip', ['address', 'add', `${subnet.gateway}/${subnet.prefixLength}`, 'dev', link]);
  await run('ip', ['link', 'set', link, 'up']);
  await writeSysctl(forwardingKey(link), '1');
  await makeChain(lab, 'filter', 'FORWARD', `KW-${lab}-FORWARD`, [
    // To another lab: its own chain decides, and refuses.
    ['-i', link, '!', '-o', 'kw-+', '-j', 'ACCEPT'],
    ['-o', link, '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'ACCEPT'],
    ['-o', link, '-j', 'DROP'],
  ]);
  await makeChain(lab, 'nat', 'POSTROUTING', `KW-${lab}-NAT`, [
    ['-s', subnet.cidr, '!', '-o', link, '-j', 'MASQUERADE'],
  ]);
}

async function makeChain(
  lab: string,
  table: 'filter' | 'nat',
  parent: string,
  chain: string,
  rules: string[][],
): Promise<void> {
  await note(lab, { made: 'chain', table, parent, chain });
  const iptables = (...args: string[]) => run('iptables', ['--wait', '--table', table, ...args]);
  await iptables('--new-chain', chain);
  for (const rule of rules) await iptables('--append', chain, ...rule);
  await iptables('--insert', parent, '1', '--jump', chain);
}

export async function removeLink(name: string): Promise<void> {
  await tryRun('ip', ['link', 'delete', name]);
}

export async function removeChain(table: string, parent: string, chain: string): Promise<void> {
  for (const args of [
    ['--delete', parent, '--jump', chain],
    ['--flush', chain],
    ['--delete-chain', chain],
  ]) {
    await tryRun('iptables', ['--wait', '--table', table, ...args]);
  }
}
