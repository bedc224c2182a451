/**
 * flannel's manifest at its release's tag, below https://raw.githubusercontent.com. flannel publishes no checksum for it: this is
 * the one of the file in the module github.com/flannel-io/flannel v0.28.4, which Go's checksum database vouches for; the tag
 * has the same file.
 */
export const FLANNEL_MANIFEST = {
  path: '/flannel-io/flannel/v0.28.4/Documentation/kube-flannel.yml',
  sha256: '0bd380eb4954227c903bdea96dc9254650badd2d45ebe31978a47c3ffe2e9727',
  /** Images that it runs, in their order: known without the file, for what is asked of a living cluster must not wait for it. */
  images: ['ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel1', 'ghcr.io/flannel-io/flannel:v0.28.4'],
  /** Its objects, all of which a cluster has that it was applied to: KIND/NAME. */
  objects: [
    'Namespace/kube-flannel',
    'ClusterRole/flannel',
    'ClusterRoleBinding/flannel',
    'ServiceAccount/flannel',
    'ConfigMap/kube-flannel-cfg',
    'DaemonSet/kube-flannel-ds',
  ],
} as const;
