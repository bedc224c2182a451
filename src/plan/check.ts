import { type Cluster, hostsOf } from '../cluster/types.js';
import { loadBalancerOf } from '../components/registry/plan.js';
import type { Depth } from './depth.js';
import type { Step } from './types.js';

/**
 * Minutes for which a host may be away before that is a finding: long enough for a lost connection, short beside the time
 * between two scheduled checks.
 */
const PATIENCE_MINUTES = 0.5;

type CheckFields = Pick<Step, 'action' | 'title'>;

function look(id: string, host: string | null, fields: CheckFields): Step {
  return {
    id,
    host,
    phase: 'verify',
    needs: [],
    timeoutMinutes: 5,
    skippable: false,
    onFailure: 'report',
    patienceMinutes: PATIENCE_MINUTES,
    ...fields,
  };
}

/**
 * Computes the steps of a health check: a look at each host, and what the last steps of an install prove, asked again. Pure. None
 * waits for another: the more is broken, the more there is to tell. They change nothing, ask nobody, and what is wrong is a finding.
 *
 * @param cluster what was applied last
 * @param depth a quick check makes no pod: those take longer than all else together, and leave events in the cluster
 */
export function planCheck(cluster: Cluster, depth: Depth = 'deep'): Step[] {
  const servers = hostsOf(cluster, 'control-plane').map(({ name }) =>
    look(`${name}/api-server`, name, { action: 'checkApiServer', title: `Ask the API server of ${name}` }),
  );
  const outsideNames =
    (cluster.health?.outsideNames ?? []).length === 0
      ? []
      : [
          look('cluster/outside-names', null, {
            action: 'checkOutsideNames',
            title: 'Resolve names outside of the cluster from a pod on each node',
          }),
        ];
  const hosts = cluster.hosts.map(({ name }) =>
    look(`${name}/host`, name, { action: 'checkHostHealth', title: `Look at ${name}` }),
  );
  // What concerns everybody first: where there is more than is told, or than is looked at twice, the last of it is left out.
  return [
    look('cluster/endpoint', null, {
      action: 'checkEndpoint',
      title: loadBalancerOf(cluster).lookTitle,
    }),
    look('cluster/etcd', null, { action: 'checkEtcd', title: 'Look at the members of etcd' }),
    look('cluster/nodes', null, { action: 'checkNodes', title: 'Look at the nodes' }),
    ...(depth === 'quick'
      ? []
      : [
          look('cluster/dns', null, { action: 'checkDns', title: 'Ask DNS from a pod on each node' }),
          look('cluster/pod-network', null, {
            action: 'checkPodNetwork',
            title: 'Have pods on each node reach those on others',
          }),
          ...outsideNames,
        ]),
    ...servers,
    ...hosts,
  ];
}
