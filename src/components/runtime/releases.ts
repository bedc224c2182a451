import { minorOf } from '../../cluster/minors.js';

/** A release of CRI-O, and the minor of Kubernetes that it goes with. */
export interface CrioRelease {
  minor: number;
  /** Without a leading v. */
  version: string;
}

/**
 * CRI-O × Kubernetes: each minor of CRI-O goes with the same minor of Kubernetes ("Compatibility matrix" in CRI-O's README); patches
 * of the two are not in step. The releases are those of github.com/cri-o/cri-o/releases.
 */
export const CRIO_RELEASES: readonly CrioRelease[] = [
  { minor: 34, version: '1.34.13' },
  { minor: 35, version: '1.35.8' },
  { minor: 36, version: '1.36.5' },
  { minor: 37, version: '1.37.0' },
];

/** The release for a version of Kubernetes, without a leading v; undefined where none is known. */
export function crioReleaseFor(kubernetesVersion: string): string | undefined {
  const minor = minorOf(kubernetesVersion)?.minor;
  return CRIO_RELEASES.find((release) => release.minor === minor)?.version;
}

/** Whether a release of CRI-O is of the minor of a version of Kubernetes. */
export function goesWith(crio: string, kubernetesVersion: string): boolean {
  const minor = (version: string): string => version.split('.').slice(0, 2).join('.');
  return minor(crio) === minor(kubernetesVersion);
}
