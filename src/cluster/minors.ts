/**
 * What Kubewright has to know of a minor of Kubernetes before anything runs. What kubeadm itself says (etcd, CoreDNS,
 * pause) is read from it when a bundle is made.
 */
export interface Minor {
  minor: number;
  /** Last day of its support, `YYYY-MM-DD`: https://kubernetes.io/releases/patch-releases/ */
  supportedUntil: string;
  /** The release that Kubewright's own tests install. */
  proven?: string;
  /**
   * The oldest containerd that works: CRI v1, which every kubelet since 1.26 needs, came with 1.6; Kubernetes 1.35 is the last one
   * for containerd 1.x (kubernetes/enhancements, KEP-4033).
   */
  oldestContainerd: string;
  /** From 1.35 on the kubelet refuses cgroup v1 unless told otherwise, and so does kubeadm's SystemVerification (KEP-5573). */
  takesCgroupV1: boolean;
  /** kube-proxy in mode ipvs warns of its end from 1.35 on (KEP-5495); nftables is stable since 1.33 (KEP-3866). */
  deprecatesIpvs: boolean;
}

/**
 * The minors that are installed, the oldest first. Before 1.34 `kubeadm init` hides the phase wait-control-plane
 * (kubernetes#132594), which the steps of the first control plane end with. What a minor that is not here has changed is not known.
 */
export const MINORS: readonly Minor[] = [
  {
    minor: 34,
    supportedUntil: '2026-10-27',
    proven: '1.34.3',
    oldestContainerd: '1.6',
    takesCgroupV1: true,
    deprecatesIpvs: false,
  },
  {
    minor: 35,
    supportedUntil: '2027-02-28',
    proven: '1.35.4',
    oldestContainerd: '1.6',
    takesCgroupV1: false,
    deprecatesIpvs: true,
  },
  {
    minor: 36,
    supportedUntil: '2027-06-28',
    proven: '1.36.3',
    oldestContainerd: '2.0',
    takesCgroupV1: false,
    deprecatesIpvs: true,
  },
  {
    minor: 37,
    supportedUntil: '2027-10-28',
    proven: '1.37.2',
    oldestContainerd: '2.0',
    takesCgroupV1: false,
    deprecatesIpvs: true,
  },
];

/** Releases that Kubewright's own tests install; every other one is taken with the warning "not proven". */
export const PROVEN_VERSIONS: readonly string[] = MINORS.flatMap(({ proven }) => proven ?? []);

/** @param version without a leading v, such as `1.34.3` @returns undefined for a minor that is not installed */
export function minorOf(version: string): Minor | undefined {
  const [major, minor] = version.split('.').map(Number);
  return major === 1 ? MINORS.find((known) => known.minor === minor) : undefined;
}

/** As `minorOf`, for a cluster whose version has been checked. @throws RangeError for one that is not installed */
export function knownMinorOf(version: string): Minor {
  const minor = minorOf(version);
  if (minor === undefined) throw new RangeError(`Kubernetes ${version} is of no minor that is installed`);
  return minor;
}
