import type { KernelFeature } from '../types.js';
import { type KubeProxyMode, type KubeProxySection, kubeProxyMode } from './mode.js';

/** What kube-proxy schedules connections with where the file does not say (pkg/proxy/ipvs, defaultScheduler). */
const DEFAULT_SCHEDULER = 'rr';

/**
 * What kube-proxy needs of a node's kernel. Its image brings the programs that it calls (nft, ipset), so no package of the
 * host does. Rules and sets load the smaller modules by themselves. In mode iptables it needs what every node needs.
 */
export function kubeProxyFeatures(section: KubeProxySection): KernelFeature[] {
  const mode = kubeProxyMode(section);
  const purpose = `kube-proxy in mode ${mode}`;
  if (mode === ('nftables' satisfies KubeProxyMode)) {
    // Of an older one kube-proxy supposes that the host's own nft founders on its rules, and ends (pkg/proxy/nftables).
    return [{ module: 'nf_tables', evidence: 'symbol:nft_do_chain', purpose, since: '5.13' }];
  }
  if (mode !== ('ipvs' satisfies KubeProxyMode)) return [];
  return [
    { module: 'ip_vs', evidence: '/proc/net/ip_vs', purpose },
    // Those of pkg/proxy/ipvs/README.md, and the one that was chosen.
    ...[...new Set(['rr', 'wrr', 'sh', schedulerOf(section)])].map(
      (scheduler): KernelFeature => ({ module: `ip_vs_${scheduler}`, evidence: 'module', purpose }),
    ),
    { module: 'nf_conntrack', evidence: '/proc/sys/net/netfilter/nf_conntrack_max', purpose },
    ...['ip_set', 'xt_set'].map((module): KernelFeature => ({ module, evidence: 'module', purpose })),
    // The card that has the addresses of Services is of this kind.
    { module: 'dummy', evidence: 'module', purpose },
  ];
}

/** Names of the kernel's schedulers are short words; anything else is kube-proxy's to refuse. */
function schedulerOf({ config }: KubeProxySection): string {
  const written = (config.ipvs as { scheduler?: unknown } | null | undefined)?.scheduler;
  return typeof written === 'string' && /^[a-z]+$/.test(written) ? written : DEFAULT_SCHEDULER;
}
