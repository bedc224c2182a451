import type { Cluster } from '../../../cluster/types.js';
import { compareVersions } from '../../../compare-versions.js';
import type { PackageState } from '../../distribution/types.js';

/**
 * The oldest containerd that works with a version of Kubernetes: CRI v1, which every kubelet since 1.26 needs, came with
 * 1.6; Kubernetes 1.35 is the last one for containerd 1.x (kubernetes/enhancements, KEP-4033).
 *
 * @param kubernetes without a leading v, such as `1.34.3`
 */
export function oldestContainerd(kubernetes: string): string {
  const [major = 0, minor = 0] = kubernetes.split('.').map(Number);
  return major > 1 || minor >= 36 ? '2.0' : '1.6';
}

/** The containerd that is installed, where it is too old. What is installed is not upgraded. */
export function outdated(
  { kubernetes }: Cluster,
  packages: PackageState[],
): { name: string; version: string; oldest: string } | undefined {
  const oldest = oldestContainerd(kubernetes.version);
  const installed = packages.find((each) => each.installed && each.name.startsWith('containerd'));
  const version = /\d+\.\d+(\.\d+)?/.exec(installed?.version ?? '')?.[0];
  if (installed === undefined || version === undefined || compareVersions(version, oldest) >= 0) return undefined;
  return { name: installed.name, version: installed.version, oldest };
}
