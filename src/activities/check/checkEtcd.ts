import { etcdHosts, etcdOf } from '../../components/registry/plan.js';
import { etcdWorkOf } from '../../components/registry/work.js';
import type { HealthFinding } from '../../plan/run.js';
import { lookOnly } from './look-only.js';

/**
 * Every member that was applied is a started, healthy voter of one and the same cluster, and there is no other. A member that
 * is lost and a quorum that is lost are findings of their own.
 */
export const checkEtcd = lookOnly(async (context) => {
  const { log } = etcdOf(context.cluster);
  const hint = `etcd’s log on the hosts (${log}) says why; look at ports 2379 and 2380 between them.`;
  const { faults, quorum, asked, leader } = await etcdWorkOf(context.cluster).look(context);
  const finding = (code: string, evidence: string): HealthFinding => ({ code, host: null, evidence, hint });
  const found = `etcd has ${etcdHosts(context.cluster).length} healthy voters`;
  const seen = leader === undefined ? {} : { seen: { etcdLeader: leader } };
  if (quorum === 'no') {
    return { findings: [finding('KW682', `etcd has no quorum: ${faults.join('; ')}`)], found };
  }
  // Nothing was seen of etcd: hosts could not be reached, or the question itself failed there.
  if (!asked) return { findings: [finding('KW683', faults.join('; '))], found };
  return { findings: faults.map((evidence) => finding('KW476', evidence)), found, ...seen };
});
