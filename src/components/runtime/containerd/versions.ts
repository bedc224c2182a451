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
