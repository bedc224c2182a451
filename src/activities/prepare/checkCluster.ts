import { loadBalancerWorkOf, workOf } from '../../components/registry/work.js';
import { onEachHost } from '../each-host.js';
import { encryptionProblems } from '../encryption-at-rest/problems.js';
import type { StepContext, StepImplementation } from '../types.js';
import { clusterProblems } from './checks/cluster.js';
import { bySeverity, described, type Problem, preflightError } from './checks/index.js';
import { overrule } from './checks/overrule.js';
import { blockers, checkReach } from './checks/reach.js';
import { gatherPeerFacts } from './facts/cluster-facts.js';
import { type Firewall, gatherFirewall } from './reach/firewall.js';
import { askReach } from './reach/index.js';
import { lookAtRegistry } from './registry/index.js';
import { unavailableArtifacts } from './unavailable-artifacts.js';

/**
 * Judges all hosts together before anything is changed on any: whether they are distinct machines, agree on the time,
 * reach each other and belong to one cluster, and whether the API's address can be had. Nothing is applied.
 */
export const checkCluster: StepImplementation = {
  withoutLease: true,

  async probe(context) {
    const { errors, warnings } = bySeverity(await look(context));
    const { hosts } = context.cluster;
    const endpoint = loadBalancerWorkOf(context.cluster).unobstructed(context.cluster);
    const fine = `${hosts.length} distinct hosts that reach each other at the cluster's ports, clocks agree, ${endpoint}`;
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
  const peers = await onEachHost(cluster.hosts, (host) => gatherPeerFacts(cluster, host, hostNamed(host.name), signal));
  const endpoint = await loadBalancerWorkOf(cluster).checkEndpoint(context, peers);
  const all = await Promise.all([
    lookAtReach(context),
    lookAtRegistry(context),
    unavailableArtifacts(context),
    encryptionProblems(context),
    ...workOf(cluster).map((work) => work.checkTogether(context, peers)),
  ]);
  return overrule(cluster, [...clusterProblems(cluster, peers), ...endpoint, ...all.flat()]);
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
  return checkReach(context.cluster, observations, new Map(await Promise.all(firewalls)));
}
