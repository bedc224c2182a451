import { isNode } from '../../cluster/roles.js';
import type { ClusterSummary, HostStanding } from '../../terminal/json/status.js';
import { isSeen, isTroubled, ROLES, remarksOn } from '../../terminal/status/hosts.js';
import { plural } from '../../terminal/text.js';
import type { HostView, RoleView } from '../told.js';

/** The hosts by role, each as the latest check has seen it. Pure. */
export function rolesOf(summary: ClusterSummary): RoleView[] {
  return ROLES.flatMap(([role, noun]) => {
    const hosts = summary.hosts.filter((host) => host.role === role);
    if (hosts.length === 0) return [];
    return [{ role, title: plural(hosts.length, noun), hosts: hosts.map((host) => hostOf(host, summary)) }];
  });
}

function hostOf(host: HostStanding, summary: ClusterSummary): HostView {
  const { name, address, kubelet } = host;
  return {
    name,
    address,
    tone: isTroubled(host) ? 'bad' : isSeen(host, summary) ? 'good' : 'faint',
    words: wordsOf(host, summary),
    ...(kubelet === undefined ? {} : { kubelet }),
    holdsVirtualIp: summary.virtualIpHolders?.includes(name) ?? false,
    leadsEtcd: summary.etcdLeader === name,
  };
}

function wordsOf(host: HostStanding, summary: ClusterSummary): string[] {
  const remarks = remarksOn(host);
  if (remarks.length > 0) return remarks;
  if (!isSeen(host, summary)) return ['not seen'];
  return [isNode(host.role) ? 'Ready' : 'nothing was found'];
}
