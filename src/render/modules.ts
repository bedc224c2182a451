import type { Role } from '../cluster/types.js';

/** A kernel module, and the file whose existence shows that the kernel can do what it is for, loaded or built in. */
export interface KernelFeature {
  module: string;
  /** Absolute path that exists when the feature is there, or `filesystem:NAME` for a line in /proc/filesystems. */
  evidence: string;
}

/** containerd's snapshots need overlayfs; kube-proxy and flannel need bridged packets to pass iptables. */
const OVERLAY: KernelFeature = { module: 'overlay', evidence: 'filesystem:overlay' };
const BRIDGE_NETFILTER: KernelFeature = {
  module: 'br_netfilter',
  evidence: '/proc/sys/net/bridge/bridge-nf-call-iptables',
};

/** What a host of this role needs of its kernel. An etcd host has no pod network. */
export function kernelFeaturesFor(role: Role): KernelFeature[] {
  return role === 'etcd' ? [OVERLAY] : [OVERLAY, BRIDGE_NETFILTER];
}

/** Bash condition that holds when the feature is there. Never asks lsmod: what is built in is not listed there. */
export function featureTest({ evidence }: KernelFeature): string {
  const [kind, name] = evidence.split(':');
  return kind === 'filesystem' ? `grep -qw ${name} /proc/filesystems` : `[ -e ${evidence} ]`;
}

export const MODULES_PATH = '/etc/modules-load.d/kubewright.conf';

/** `/etc/modules-load.d/kubewright.conf`: loaded at every boot by systemd-modules-load; built-in ones are no error there. */
export function renderModules(role: Role): string {
  const modules = kernelFeaturesFor(role).map(({ module }) => module);
  return `# Written by Kubewright: kernel modules that Kubernetes needs, loaded at boot.\n${modules.join('\n')}\n`;
}
