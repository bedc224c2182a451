/**
 * flannel's manifest at its release's tag, below https://raw.githubusercontent.com. flannel publishes no checksum for it: this is
 * the one of the file in the module github.com/flannel-io/flannel v0.28.4, which Go's checksum database vouches for; the tag
 * has the same file.
 */
export const FLANNEL_MANIFEST = {
  path: '/flannel-io/flannel/v0.28.4/Documentation/kube-flannel.yml',
  sha256: '0bd380eb4954227c903bdea96dc9254650badd2d45ebe31978a47c3ffe2e9727',
} as const;
