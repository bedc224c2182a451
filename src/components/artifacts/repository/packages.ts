import type { Role } from '../../../cluster/types.js';
import type { Offer, PackageState } from '../../distribution/index.js';

/** Packages of Kubernetes' own release: their version is the cluster's. */
const OF_RELEASE: readonly string[] = ['kubelet', 'kubeadm', 'kubectl'];

/** kubectl only where admin.conf is. cri-tools has crictl, kubernetes-cni the plugins in /opt/cni/bin. */
const PACKAGES: Record<Role, readonly string[]> = {
  'control-plane': [...OF_RELEASE, 'cri-tools', 'kubernetes-cni'],
  worker: ['kubelet', 'kubeadm', 'cri-tools', 'kubernetes-cni'],
  etcd: ['kubelet', 'kubeadm', 'cri-tools', 'kubernetes-cni'],
  director: [],
};

export function packagesOf(role: Role): readonly string[] {
  return PACKAGES[role];
}

/**
 * Version that a package has to have; undefined where any will do, for it goes with the repository's minor.
 *
 * @param kubernetesVersion without a leading v
 */
export function wantedVersion(name: string, kubernetesVersion: string): string | undefined {
  return OF_RELEASE.includes(name) ? kubernetesVersion : undefined;
}

/** Whether a package's version, with its release, is of a version of what is in it: `1.37.2-1.1` is of `1.37.2`. */
export function isOf(packageVersion: string, version: string): boolean {
  return packageVersion === version || packageVersion.startsWith(`${version}-`);
}

/** Packages that are there in another version than the cluster's, as people write them: `kubelet 1.36.1-1.1`. */
export function inOtherVersion(packages: readonly PackageState[], kubernetesVersion: string): string[] {
  const others = packages.filter(({ name, version, installed }) => {
    const wanted = wantedVersion(name, kubernetesVersion);
    return installed && wanted !== undefined && !isOf(version, wanted);
  });
  return others.map(({ name, version }) => `${name} ${version}`);
}

/** What to do about those: an install changes no version of what is installed. */
export const OTHER_VERSION_HINT =
  'Nothing was changed: an install changes no version of what is installed. Where no node lives there, remove these packages (`apt-get remove --allow-change-held-packages`, `dnf remove`), or write their version into kubernetes.version; then try again.';

export interface Choice {
  chosen: Offer[];
  /** What the repository does not have, as people write it: `kubelet 1.37.2`. */
  missing: string[];
}

const natural = new Intl.Collator('en', { numeric: true });

/** dpkg and rpm order a tilde before everything, the end too: what is called `1.9.0~rc1` comes before 1.9.0. */
const isEarly = ({ version }: Offer): boolean => version.includes('~');

/** For each package the newest build of what is wanted. */
export function choose(names: readonly string[], offers: readonly Offer[], kubernetesVersion: string): Choice {
  const choice: Choice = { chosen: [], missing: [] };
  for (const name of names) {
    const wanted = wantedVersion(name, kubernetesVersion);
    const [newest] = offers
      .filter((offer) => offer.name === name && (wanted === undefined || isOf(offer.version, wanted)))
      .sort((a, b) => Number(isEarly(a)) - Number(isEarly(b)) || natural.compare(b.version, a.version));
    if (newest === undefined) choice.missing.push(wanted === undefined ? name : `${name} ${wanted}`);
    else choice.chosen.push(newest);
  }
  return choice;
}
