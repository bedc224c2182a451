import { etcdHosts, etcdOf } from '../../components/registry/plan.js';
import { etcdWorkOf } from '../../components/registry/work.js';
import { lookOnly } from './look-only.js';

/** Every member that was applied is a started, healthy voter of one and the same cluster, and there is no other. */
export const checkEtcd = lookOnly(async (context) => {
  const hint = `etcd’s log on the hosts (${etcdOf(context.cluster).log}) says why; look at ports 2379 and 2380 between them.`;
  const faults = await etcdWorkOf(context.cluster).faults(context);
  return {
    findings: faults.map((evidence) => ({ code: 'KW476', host: null, evidence, hint })),
    found: `etcd has ${etcdHosts(context.cluster).length} healthy voters`,
  };
});
