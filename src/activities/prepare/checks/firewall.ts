import { isNode } from '../../../cluster/roles.js';
import type { Cluster } from '../../../cluster/types.js';
import type { FirewallKind } from '../firewalls-script.js';
import type { Checked } from './index.js';
import { hasNode } from './ownership.js';
import { listed, type Problem } from './problem.js';

/**
 * A firewall that lets nothing in by default. Whether the hosts' ports pass is tried by `cluster/preflight`; that pods reach
 * their own node, without which no service and no name answers, is seen in its rules alone: one that names neither their
 * network nor their bridge does not let them in.
 */
export function checkFirewall(checked: Checked): Problem[] {
  const { facts, host, cluster } = checked;
  const [first] = facts.firewalls;
  if (first === undefined || hasNode(checked)) return [];
  const managed = facts.firewalls.find(({ kind }) => kind === 'ufw' || kind === 'firewalld');
  const shown = managed === undefined ? facts.firewalls : [managed];
  const what = `a firewall is active that lets in only what is named: ${listed(shown.map(described))}`;
  const rules = shown.map(({ kind, name }) => RULES[kind](sourcesOf(cluster), name));
  if (facts.firewallLetsPodsIn || !isNode(host.role)) {
    const hint = `See that it lets in all that comes from the other hosts and the pods. If it does not: ${listed(rules)}`;
    return [{ code: 'KW315', what, hint: `${hint}.`, severity: 'warning' }];
  }
  return [
    {
      code: 'KW315',
      what: `${what}, and not the pods (${cluster.kubernetes.podSubnet})`,
      hint: `Let in what comes from the hosts and from the pods: ${listed(rules)}.`,
    },
  ];
}

function described({ kind, name }: { kind: FirewallKind; name: string }): string {
  return kind === 'nftables' ? `the nftables chain ${name}` : kind === 'iptables' ? `the iptables chain ${name}` : name;
}

/** VRRP is no TCP and no UDP: rules by source let it in as well, rules by port do not. */
const RULES: Record<FirewallKind, (sources: string[], chain: string) => string> = {
  ufw: (sources) => `\`${sources.map((source) => `ufw allow from ${source}`).join('; ')}\``,
  firewalld: (sources) =>
    `\`firewall-cmd --permanent --zone=trusted ${sources.map((source) => `--add-source=${source}`).join(' ')}; firewall-cmd --reload\``,
  nftables: (sources, chain) =>
    `\`nft insert rule ${chain} ip saddr { ${sources.join(', ')} } accept\`, and the same line in the file that loads the rules`,
  iptables: (sources, chain) =>
    `\`${sources.map((source) => `iptables -I ${chain} -s ${source} -j ACCEPT`).join('; ')}\`, and in the file that loads the rules`,
};

function sourcesOf({ hosts, kubernetes }: Cluster): string[] {
  return [...hosts.map(({ address }) => address), kubernetes.podSubnet];
}
