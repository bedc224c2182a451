import type { Cluster } from '../../cluster/types.js';
import { etcdOf, loadBalancerOf } from '../../components/registry/plan.js';
import type { Scenario } from '../../plan/drill-report.js';
import { networkBlow } from './network-blow.js';
import { type ProgramBlow, programBlow } from './program-blow.js';

/** What is done to a host by a script on it; undefined for its power, which somebody else takes. */
export function blowOf(cluster: Cluster, scenario: Scenario): ProgramBlow | undefined {
  switch (scenario) {
    case 'balancer': {
      const { drilled } = loadBalancerOf(cluster);
      // The plan leaves the scenario out, so this is a programming error.
      if (drilled === null) throw new Error('the load balancer is not of this cluster');
      return programBlow(drilled);
    }
    case 'api-server':
      return programBlow({ container: 'kube-apiserver' });
    case 'etcd-leader':
      return programBlow(etcdOf(cluster).drilled);
    case 'network':
      return networkBlow;
    case 'power':
      return undefined;
  }
}

/** Whether the host itself is away meanwhile, with all that runs on it. */
export const takesHostAway = (scenario: Scenario): boolean => scenario === 'power' || scenario === 'network';

/** How long a break is watched at most, in milliseconds: until the API answers steadily, and until a node is NotReady (50 s by default). */
export const WATCH_LIMIT_MS = 5 * 60_000;
/** With pods that are to move: Kubernetes' own tolerations are five minutes, behind those 50 s. */
export const MOVE_LIMIT_MS = 10 * 60_000;

/** After so many seconds a host puts itself back: when the watching is over, and some minutes for a worker that died to be replaced. */
export function deadManSeconds(movePods: boolean): number {
  return (WATCH_LIMIT_MS + (movePods ? MOVE_LIMIT_MS : 0)) / 1_000 + 180;
}
