import type { Cluster } from '../../../../../src/cluster/types.js';
import type { KubeVipSettings } from '../../../../../src/components/registry/settings.js';
import { clusterOf } from '../../../cluster-fixture.js';

export const IMAGE = 'ghcr.io/kube-vip/kube-vip:v1.2.4';

/** Three control planes and two workers; the API is at 6443 everywhere. */
export function kubeVipCluster(changes: Partial<KubeVipSettings> = {}): Cluster {
  return clusterOf(
    { controlPlanes: 3, workers: 2 },
    {
      loadBalancer: {
        type: 'kube-vip',
        image: null,
        leaseDurationSeconds: 5,
        renewDeadlineSeconds: 3,
        retryPeriodSeconds: 1,
        ...changes,
      },
      endpoint: { vip: '10.88.0.100', port: 6443, prefixLength: 24, interface: null },
    },
  );
}
