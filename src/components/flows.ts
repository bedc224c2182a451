import type { ClusterHost } from '../cluster/types.js';

/** What one host sends to another in a cluster. */
export type Flow = { from: string; to: string } & Way;

export type Way =
  | { protocol: 'tcp'; port: number; use: string }
  | { protocol: 'udp'; port: number; use: string }
  /** IP protocol 112 (RFC 5798 section 5.1.1.4). */
  | { protocol: 'vrrp'; use: string };

/** Every pair of a sender and a receiver, without what a host says to itself. */
export function between(senders: ClusterHost[], receivers: ClusterHost[], way: Way): Flow[] {
  return senders.flatMap((from) =>
    receivers.filter((to) => to !== from).map((to) => ({ from: from.name, to: to.name, ...way })),
  );
}

/** So many workers are asked about every pair of them. */
const FULL_MESH = 32;

/** In a larger cluster each worker sends to so many others, spread over the list. */
const SAMPLE = 8;

/**
 * What every node sends to every other one. Linear in the number of workers: each one with every control plane, and with
 * all other workers up to `FULL_MESH` of them, with a sample of `SAMPLE` beyond.
 */
export function amongNodes(controlPlanes: ClusterHost[], workers: ClusterHost[], way: Way): Flow[] {
  const amongWorkers =
    workers.length <= FULL_MESH
      ? between(workers, workers, way)
      : workers.flatMap((from, index) => between([from], sample(workers, index), way));
  return [
    ...between(controlPlanes, controlPlanes, way),
    ...between(controlPlanes, workers, way),
    ...between(workers, controlPlanes, way),
    ...amongWorkers,
  ];
}

/** The next one in the list and others at even distances: neighbours in the file often stand in one rack. */
function sample(workers: ClusterHost[], index: number): ClusterHost[] {
  const offsets = Array.from({ length: SAMPLE }, (_, step) => 1 + Math.floor((step * (workers.length - 1)) / SAMPLE));
  return offsets.flatMap((offset) => workers[(index + offset) % workers.length] ?? []);
}
