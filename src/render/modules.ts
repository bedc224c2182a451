import type { Cluster, Role } from '../cluster/types.js';
import { sysctlFile } from './sysctl.js';

/** A kernel module, and the file whose existence shows that the kernel can do what it is for, loaded or built in. */
export interface KernelFeature {
  module: string;
  /**
   * Absolute path that exists when the feature is there; `filesystem:NAME` for a line in /proc/filesystems; `module` where
   * only the module itself shows (in /sys/module, or among those that are built in).
   */
  evidence: string;
  /** What it is needed for, as the end of "needed for …". */
  purpose: string;
}

/** containerd's snapshots need overlayfs; kube-proxy and flannel need bridged packets to pass iptables. */
const OVERLAY: KernelFeature = {
  module: 'overlay',
  evidence: 'filesystem:overlay',
  purpose: "containerd's overlay snapshots",
};
const BRIDGE_NETFILTER: KernelFeature = {
  module: 'br_netfilter',
  evidence: '/proc/sys/net/bridge/bridge-nf-call-iptables',
  purpose: 'packets between pods of one host',
};

/** What flannel's backends need: the first is the default (flannel's Documentation/backends.md). */
const BACKENDS: Record<string, KernelFeature> = {
  vxlan: { module: 'vxlan', evidence: 'module', purpose: "flannel's vxlan backend" },
  wireguard: { module: 'wireguard', evidence: 'module', purpose: "flannel's wireguard backend" },
  udp: { module: 'tun', evidence: '/dev/net/tun', purpose: "flannel's udp backend" },
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

/** Every feature that any cluster may need, for one question about all of them. */
export const KERNEL_FEATURES: readonly KernelFeature[] = [OVERLAY, BRIDGE_NETFILTER, ...Object.values(BACKENDS)];

/** What a host of this role needs of its kernel. An etcd host has no pod network. */
export function kernelFeaturesFor(
  role: Role,
  { network, sysctls }: Pick<Cluster, 'network' | 'sysctls'>,
): KernelFeature[] {
  const backend = BACKENDS[String(network.backend.Type ?? 'vxlan').toLowerCase()];
  const own = role === 'etcd' ? [OVERLAY] : [OVERLAY, BRIDGE_NETFILTER, ...(backend ? [backend] : [])];
  const known = new Set(own.map(({ module }) => module));
  return [...own, ...settingFeatures(sysctls).filter(({ module }) => !known.has(module))];
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
  return kind === 'filesystem' ? `grep -qw ${name} /proc/filesystems` : `[ -e ${evidence} ]`;
}

export const MODULES_PATH = '/etc/modules-load.d/kubewright.conf';

/** `/etc/modules-load.d/kubewright.conf`: loaded at every boot by systemd-modules-load; built-in ones are no error there. */
export function renderModules(features: KernelFeature[]): string {
  const modules = features.map(({ module }) => module);
  return `# Written by Kubewright: kernel modules that Kubernetes needs, loaded at boot.\n${modules.join('\n')}\n`;
}
