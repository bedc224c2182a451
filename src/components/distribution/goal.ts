import type { Role } from '../../cluster/types.js';
import type { PackageNeeds } from '../packages.js';
import type { PackageFacts, PackageGoal } from './types.js';

/** Docker's package of containerd; it brings its own runc and stands in the place of the distribution's two packages. */
export const DOCKERS_CONTAINERD = 'containerd.io';

/**
 * What a node's kubelet and CNI plugins call: iptables (portmap, and the kubelet's own chains) and mount with losetup
 * (volumes). openssl is what our own steps ask API servers and look at certificates with. Every usual installation has
 * them but for iptables; conntrack, ethtool and socat, which older versions of Kubernetes wanted, are not needed from 1.34
 * on (kube-proxy brings its own, the kubelet forwards ports by the runtime).
 */
const NODE_PACKAGES = ['iptables', 'mount', 'openssl'];

const PACKAGES: Record<Role, string[]> = {
  'control-plane': NODE_PACKAGES,
  worker: NODE_PACKAGES,
  // Static pods on the host's own network and nothing else; openssl makes etcd's certificates.
  etcd: ['mount', 'openssl'],
  director: [],
};

/** What must be installed on a host of this role, by Debian's names; a containerd of Docker's that is there stays. */
export function goalOf(role: Role, needs: PackageNeeds, present: PackageFacts): PackageGoal {
  const dockers = present.packages.some(({ name, installed }) => name === DOCKERS_CONTAINERD && installed);
  const isContainerd = needs.hold.includes('containerd');
  const hold = dockers && isContainerd ? [DOCKERS_CONTAINERD] : [...needs.hold];
  const install = [...hold, ...PACKAGES[role], ...needs.install];
  const units = install.flatMap((name) =>
    needs.services.filter(({ packages }) => packages.includes(name)).map((service) => `${service.name}.service`),
  );
  return { install, hold, units };
}

/** Every package, by Debian's names, that a host of any role is asked for. */
export function askedNames({ install, hold }: PackageNeeds): string[] {
  return [...new Set([...hold, DOCKERS_CONTAINERD, ...Object.values(PACKAGES).flat(), ...install])].sort();
}
