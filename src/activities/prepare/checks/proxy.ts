import ipaddr from 'ipaddr.js';
import { mustBeDirect } from '../../../cluster/direct-addresses.js';
import { familyOf } from '../../../components/distribution/index.js';
import type { HostFacts } from '../facts/index.js';
import type { Checked } from './index.js';
import { isOurs } from './ownership.js';
import { listed, type Problem } from './problem.js';

/**
 * Proxies on the host. Kubewright's own scripts never use one; what systemd gives to every unit reaches the kubelet and,
 * through kubeadm, the control plane's manifests, and must leave the cluster's addresses alone.
 */
export function checkProxies(checked: Checked): Problem[] {
  return [...checkUnits(checked), ...checkPackages(checked)];
}

function checkUnits({ facts, cluster }: Checked): Problem[] {
  const proxies = proxiesOf(facts, 'systemd');
  if (proxies.length === 0) return [];
  const exempt = facts.proxies.filter(({ source, name }) => source === 'systemd' && name === 'no_proxy');
  const covered = exempt.flatMap(({ value }) => value.split(',').map((entry) => entry.trim()));
  const open = mustBeDirect(cluster).filter((target) => !covered.some((entry) => covers(entry, target)));
  if (open.length === 0) return [];
  return [
    {
      code: 'KW314',
      what: `systemd gives every service the proxy ${listed(proxies)}, and its no_proxy does not cover ${listed(open)}`,
      hint: `Add them to NO_PROXY beside the proxy (DefaultEnvironment in /etc/systemd/system.conf or system.conf.d), then \`systemctl daemon-reexec\`: NO_PROXY=${mustBeDirect(cluster).join(',')}. Or set the proxy only for the services that need it.`,
    },
  ];
}

/** Its packages would have to come directly, which on such a host they may well not. */
function checkPackages(checked: Checked): Problem[] {
  const { facts, cluster } = checked;
  const proxies = proxiesOf(facts, 'login');
  const known = cluster.packages.proxy !== null || proxiesOf(facts, 'packages').length > 0;
  if (proxies.length === 0 || known || isOurs(checked)) return [];
  const { manager, proxySetting } = familyOf(facts.os);
  return [
    {
      code: 'KW314',
      what: `logins have the proxy ${listed(proxies)} (/etc/environment), and ${manager} has none: packages will be fetched directly`,
      hint: `Where they can only be had through it, set packages.proxy in cluster.yaml, or ${proxySetting}. Nothing else needs it.`,
      severity: 'warning',
    },
  ];
}

function proxiesOf(facts: HostFacts, source: HostFacts['proxies'][number]['source']): string[] {
  const found = facts.proxies.filter((each) => each.source === source && each.name !== 'no_proxy' && each.value !== '');
  return [...new Set(found.map(({ value }) => value))];
}

/** As Go's programs read no_proxy (golang.org/x/net/http/httpproxy): addresses, networks, `*`; a domain covers itself and what is below it, `.domain` only the latter. */
function covers(entry: string, target: string): boolean {
  if (entry === '*') return true;
  const [address = '', prefix = '32'] = target.split('/');
  if (!ipaddr.IPv4.isValid(address)) {
    const below = entry.toLowerCase().replace(/^\*?(?=\.)/, '');
    return below.startsWith('.') ? target.toLowerCase().endsWith(below) : isWithin(target.toLowerCase(), below);
  }
  const network = entry.includes('/') ? entry : `${entry}/32`;
  if (!ipaddr.IPv4.isValidCIDR(network)) return false;
  const [, bits] = ipaddr.IPv4.parseCIDR(network);
  return bits <= Number(prefix) && ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(network));
}

function isWithin(name: string, domain: string): boolean {
  return domain !== '' && (name === domain || name.endsWith(`.${domain}`));
}
