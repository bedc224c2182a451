import type { RemoteHost } from '../../../hosts/types.js';
import { gatherFacts } from '../../remote-facts.js';
import { FIREWALL_FUNCTIONS, type FoundFirewall, parseFirewalls } from '../firewalls-script.js';

/** What filters packets on a host, as far as it can be told. */
export type Firewall =
  | { kind: 'ufw' }
  | { kind: 'firewalld' }
  /** A base chain of the input hook that drops or rejects, by family, table and name. */
  | { kind: 'nft'; chain: string }
  | { kind: 'iptables' }
  /** Looked, and none of these drops anything. */
  | { kind: 'none' };

/** Traffic that a host has to let in. */
export interface Need {
  tcp: number[];
  udp: number[];
  vrrp: boolean;
  /** Addresses that it comes from. */
  from: string[];
}

/**
 * Asks a host that does not let something in. Only then: on other hosts what drops only some packets is nobody's business.
 *
 * @returns undefined where its rules cannot be read, which is not the same as none
 */
export async function gatherFirewall(remote: RemoteHost, signal: AbortSignal): Promise<Firewall | undefined> {
  const script = `${FIREWALL_FUNCTIONS}read_rules 2>/dev/null
rules_read() { [ -z "$unread" ]; }
fact read rules_read
ask firewalls firewalls`;
  const facts = await gatherFacts(remote, script, signal);
  const found = facts.answer('firewalls', '');
  const firewall = found.is === 'yes' ? firewallOf(parseFirewalls(found.value)) : undefined;
  return firewall?.kind === 'none' && !facts.holds('read') ? undefined : firewall;
}

/** Front ends first: rules beside theirs are gone with their next reload. Then what drops the rest, before what drops some. */
export function firewallOf(found: FoundFirewall[]): Firewall {
  const frontEnd = found.find(({ kind }) => kind === 'ufw' || kind === 'firewalld');
  if (frontEnd !== undefined) return { kind: frontEnd.kind === 'ufw' ? 'ufw' : 'firewalld' };
  const chains = found.filter(({ kind }) => kind === 'nftables');
  const own = chains.filter(({ name }) => !OF_IPTABLES.test(name));
  const chain = own.find(({ extent }) => extent === 'all') ?? own[0];
  if (chain !== undefined) return { kind: 'nft', chain: chain.name };
  return found.length > 0 ? { kind: 'iptables' } : { kind: 'none' };
}

/** Chains of iptables as nftables shows them. */
const OF_IPTABLES = / (filter|mangle|raw) (INPUT|PREROUTING)$/;

/** So many addresses are written out. */
const SHOWN = 4;

/**
 * What to do on a host so that it lets this in, as the end of a hint. Only commands that add a rule.
 *
 * @param firewall undefined when it could not be asked
 */
export function remedy(host: string, firewall: Firewall | undefined, need: Need): string {
  const from = need.from.slice(0, SHOWN);
  const others = need.from.length > SHOWN ? ` And so for ${need.from.length - SHOWN} more addresses.` : '';
  const rules = (write: (address: string) => string[]): string => `\`${from.flatMap(write).join('; ')}\`${others}`;
  switch (firewall?.kind) {
    case 'ufw':
      return `ufw is active on ${host}. Let it in there: ${rules((address) => ufwRules(need, address))}`;
    case 'firewalld':
      return `firewalld is active on ${host}. Let it in there: \`${firewalldRules(need)}\``;
    case 'nft':
      return `nftables drops packets on ${host} (chain ${firewall.chain}). Let it in there, and in the file that it is loaded from: ${rules(
        (address) => nftRules(need, firewall.chain, address),
      )}`;
    case 'iptables':
      return `iptables drops packets on ${host}. Let it in there, and where its rules are kept: ${rules((address) => iptablesRules(need, address))}`;
    case 'none':
      return `No filter of ${host} drops anything that it could show. Look at what lies between: security groups, switches, a firewall, and the outgoing rules of the senders.`;
    case undefined:
      return `See to the firewall of ${host}, to what lies between (security groups, switches), and to the outgoing rules of the senders.`;
  }
}

/** Not every ufw knows VRRP by name (it came with 0.36.2), so the whole address is let in for it. */
function ufwRules({ tcp, udp, vrrp }: Need, address: string): string[] {
  if (vrrp) return [`ufw allow from ${address}`];
  return [
    ...(tcp.length > 0 ? [`ufw allow proto tcp from ${address} to any port ${tcp.join(',')}`] : []),
    ...(udp.length > 0 ? [`ufw allow proto udp from ${address} to any port ${udp.join(',')}`] : []),
  ];
}

function firewalldRules({ tcp, udp, vrrp }: Need): string {
  const rules = [...tcp.map((port) => `--add-port=${port}/tcp`), ...udp.map((port) => `--add-port=${port}/udp`)];
  if (vrrp) rules.push('--add-protocol=vrrp');
  return `firewall-cmd --permanent ${rules.join(' ')} && firewall-cmd --reload`;
}

function nftRules({ tcp, udp, vrrp }: Need, chain: string, address: string): string[] {
  const rule = (match: string): string => `nft insert rule ${chain} ip saddr ${address} ${match} accept`;
  const set = (ports: number[]): string => (ports.length === 1 ? `${ports[0]}` : `'{ ${ports.join(', ')} }'`);
  return [
    ...(tcp.length > 0 ? [rule(`tcp dport ${set(tcp)}`)] : []),
    ...(udp.length > 0 ? [rule(`udp dport ${set(udp)}`)] : []),
    ...(vrrp ? [rule('ip protocol vrrp')] : []),
  ];
}

function iptablesRules({ tcp, udp, vrrp }: Need, address: string): string[] {
  const rule = (match: string): string => `iptables -I INPUT -s ${address} ${match} -j ACCEPT`;
  return [
    ...(tcp.length > 0 ? [rule(`-p tcp -m multiport --dports ${tcp.join(',')}`)] : []),
    ...(udp.length > 0 ? [rule(`-p udp -m multiport --dports ${udp.join(',')}`)] : []),
    ...(vrrp ? [rule('-p 112')] : []),
  ];
}
