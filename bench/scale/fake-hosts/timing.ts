/**
 * How long a host of one's own takes, in milliseconds. The durations are those of lab hosts (docs/benchmarks.md; five on two
 * cores, so they are rather long): what a larger cluster adds to a run is then what Kubewright itself needs.
 */
export const TIMING = {
  /** A script that asks a few questions. */
  quick: 20,
  /** The preflight's own. */
  preflight: 400,
  /** Three rounds of connections between hosts; the middle one waits for its datagrams. */
  listen: 100,
  probe: 900,
  collect: 20,
  /** Hosts that get a keepalived listen for others'. */
  vrrp: 3_200,
  packages: 6_000,
  containerd: 1_500,
  /** Images are unpacked by the hosts themselves. */
  images: 15_000,
  checkImages: 2_000,
  activate: 800,
  kubelet: 500,
  init: 12_000,
  joinControlPlane: 14_000,
  joinWorker: 3_000,
  /** From a join until the node is Ready, once there is a pod network. */
  nodeReady: 6_000,
  /** Pods that ask DNS on every node. */
  dnsPods: 8_000,
  /** Pods that reach each other. */
  reachPods: 6_000,
} as const;

export type Timed = keyof typeof TIMING;
