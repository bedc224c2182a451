import type { Cluster } from '../../../../../src/cluster/types.js';
import { clusterOf } from '../../../cluster-fixture.js';

/** Three control planes with members that systemd runs; or hosts of their own where `etcd` says how many. */
export function systemdCluster({
  etcd = 0,
  ...more
}: {
  etcd?: number;
  names?: string[];
  days?: number;
} = {}): Cluster {
  return clusterOf(
    { controlPlanes: 3, workers: 1, etcd },
    {
      etcd: {
        topology: etcd > 0 ? 'external' : 'stacked',
        runner: 'systemd',
        certificateValidityDays: more.days ?? 365,
        certificateSANs: more.names ?? [],
        extraArgs: [],
      },
    },
  );
}
