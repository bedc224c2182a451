import { isNode } from '../cluster/roles.js';
import type { Cluster, Role } from '../cluster/types.js';
import { kubeProxyFeatures } from '../components/kube-proxy/kernel.js';
import { componentsOn, runtimeOf } from '../components/registry/plan.js';
import type { Component, KernelFeature } from '../components/types.js';
import { sysctlFile } from './sysctl.js';

/** Without it kube-proxy does not see what goes from pod to pod on one bridge. */
const BRIDGE_NETFILTER: KernelFeature = {
  module: 'br_netfilter',
  evidence: '/proc/sys/net/bridge/bridge-nf-call-iptables',
  purpose: 'packets between pods of one host',
};

/**
 * Modules that bring kernel settings with them. Kubernetes loads some of them later, kube-proxy nf_conntrack for example;
 * a setting of theirs would be refused on a bare host, and be skipped at every boot.
 */
const BY_SETTING: [prefix: string, module: string][] = [
  ['net.netfilter.nf_conntrack_', 'nf_conntrack'],
  ['net.nf_conntrack_max', 'nf_conntrack'],
  ['net.bridge.', 'br_netfilter'],
  ['net.ipv4.vs.', 'ip_vs'],
  ['net.sctp.', 'sctp'],
  ['sunrpc.', 'sunrpc'],
  ['fs.nfs.', 'lockd'],
];

/** What a host of this role needs of its kernel, each module once. Only nodes have pods. */
export function kernelFeaturesFor(role: Role, cluster: Cluster): KernelFeature[] {
  const needs = (components: Component[]) => components.flatMap((each) => each.kernelFeatures(cluster, role));
  const runtime = runtimeOf(cluster);
  const components = componentsOn(cluster, role);
  const others = components.filter((component) => component !== runtime);
  const all = [
    ...needs(components.filter((component) => component === runtime)),
    ...(isNode(role) ? [BRIDGE_NETFILTER, ...kubeProxyFeatures(cluster.kubernetes.kubeProxy)] : []),
    ...needs(others),
    ...settingFeatures(cluster.sysctls),
  ];
  // The first one that asks for a module says what for.
  return all.filter(({ module }, index) => all.findIndex((each) => each.module === module) === index);
}

function settingFeatures(sysctls: Record<string, string>): KernelFeature[] {
  const found = new Map<string, KernelFeature>();
  for (const written of Object.keys(sysctls)) {
    const name = written.replaceAll('/', '.');
    const module = BY_SETTING.find(([prefix]) => name.startsWith(prefix))?.[1];
    if (module === undefined || found.has(module)) continue;
    found.set(module, { module, evidence: sysctlFile(written), purpose: `the setting ${written}` });
  }
  return [...found.values()];
}

/** Bash condition that holds when the feature is there. Never asks lsmod: what is built in is not listed there. */
export function featureTest({ module, evidence }: KernelFeature): string {
  if (evidence === 'module') {
    const builtIn = `grep -qs '/${module}\\.ko' "/lib/modules/$(uname -r)/modules.builtin"`;
    return `[ -d /sys/module/${module} ] || ${builtIn}`;
  }
  const [kind, name] = evidence.split(':');
  if (kind === 'symbol') return `grep -qw ${name} /proc/kallsyms`;
  return kind === 'filesystem' ? `grep -qw ${name} /proc/filesystems` : `[ -e ${evidence} ]`;
}

export const MODULES_PATH = '/etc/modules-load.d/kubewright.conf';

/** `/etc/modules-load.d/kubewright.conf`: loaded at every boot by systemd-modules-load; built-in ones are no error there. */
export function renderModules(features: KernelFeature[]): string {
  const modules = features.filter(({ isBuiltIn }) => !isBuiltIn).map(({ module }) => module);
  return `# Written by Kubewright: kernel modules that Kubernetes needs, loaded at boot.\n${modules.join('\n')}\n`;
}
