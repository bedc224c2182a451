import { hostsOf } from '../../cluster/types.js';
import type { StepContext, StepImplementation } from '../types.js';
import { clusterProblems } from './checks/cluster.js';
import { bySeverity, described, type Problem, preflightError } from './checks/index.js';
import { overrule } from './checks/overrule.js';
import { gatherPeerFacts, gatherVipFacts } from './facts/cluster-facts.js';

/**
 * Judges all hosts together before anything is changed on any: whether they are distinct machines, agree on the time,
 * reach each other and belong to one cluster, and whether the VIP is free. Nothing is applied.
 */
export const checkCluster: StepImplementation = {
  async probe(context) {
    const { errors, warnings } = bySeverity(await look(context));
    const { hosts, endpoint } = context.cluster;
    const fine = `${hosts.length} distinct hosts that reach each other, clocks agree, ${endpoint.vip} is free or ours`;
    return {
      done: errors.length === 0,
      found: errors.length === 0 ? fine : `${errors.length} problem(s)`,
      changes: errors.map(described),
      warnings: warnings.map(described),
      ...(errors.length > 0 ? { problem: preflightError(errors) } : {}),
    };
  },

  async apply(context) {
    // Asked again, for a person may have mended it meanwhile.
    const { errors } = bySeverity(await look(context));
    if (errors.length > 0) throw preflightError(errors);
  },
};

async function look({ cluster, hostNamed, signal }: StepContext): Promise<Problem[]> {
  const [first] = hostsOf(cluster, 'control-plane');
  // The loader refuses a file without a control plane, so this is a programming error, not a user's.
  if (first === undefined) throw new Error('a cluster has at least one control plane');
  const [vip, ...peers] = await Promise.all([
    gatherVipFacts(cluster.endpoint.vip, hostNamed(first.name), signal),
    ...cluster.hosts.map((host) => gatherPeerFacts(cluster, host, hostNamed(host.name), signal)),
  ]);
  return overrule(cluster, clusterProblems(cluster, peers, vip));
}
