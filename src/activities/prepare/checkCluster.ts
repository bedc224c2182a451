import pLimit from 'p-limit';
import { hostsOf } from '../../cluster/types.js';
import type { StepContext, StepImplementation } from '../types.js';
import { clusterProblems } from './checks/cluster.js';
import { bySeverity, described, type Problem, preflightError } from './checks/index.js';
import { overrule } from './checks/overrule.js';
import { blockers, checkBackend, checkReach } from './checks/reach.js';
import { gatherPeerFacts, gatherVipFacts } from './facts/cluster-facts.js';
import { type Firewall, gatherFirewall } from './reach/firewall.js';
import { askReach } from './reach/index.js';
import { AT_A_TIME } from './reach/orders.js';

/**
 * Judges all hosts together before anything is changed on any: whether they are distinct machines, agree on the time,
 * reach each other and belong to one cluster, and whether the VIP is free. Nothing is applied.
 */
export const checkCluster: StepImplementation = {
  async probe(context) {
    const { errors, warnings } = bySeverity(await look(context));
    const { hosts, endpoint } = context.cluster;
    const fine = `${hosts.length} distinct hosts that reach each other at the cluster's ports, clocks agree, ${endpoint.vip} is free or ours`;
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

async function look(context: StepContext): Promise<Problem[]> {
  const { cluster, hostNamed, signal } = context;
  const [first] = hostsOf(cluster, 'control-plane');
  // The loader refuses a file without a control plane, so this is a programming error, not a user's.
  if (first === undefined) throw new Error('a cluster has at least one control plane');
  const limit = pLimit(AT_A_TIME);
  const [vip, ...peers] = await Promise.all([
    gatherVipFacts(cluster.endpoint.vip, hostNamed(first.name), signal),
    ...cluster.hosts.map((host) => limit(() => gatherPeerFacts(cluster, host, hostNamed(host.name), signal))),
  ]);
  return overrule(cluster, [...clusterProblems(cluster, peers, vip), ...(await lookAtReach(context))]);
}

/** The rules of a host are looked at only where something is blocked. */
async function lookAtReach(context: StepContext): Promise<Problem[]> {
  const observations = await askReach(context);
  const firewalls = blockers(context.cluster, observations).map(
    async (name): Promise<[string, Firewall | undefined]> => [
      name,
      await gatherFirewall(context.hostNamed(name), context.signal),
    ],
  );
  return [
    ...checkReach(context.cluster, observations, new Map(await Promise.all(firewalls))),
    ...checkBackend(context.cluster),
  ];
}
