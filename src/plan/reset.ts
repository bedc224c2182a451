import { isNode } from '../cluster/roles.js';
import { type Cluster, type ClusterHost, hostsOf } from '../cluster/types.js';
import { holdsMember } from '../components/registry/plan.js';
import { releaseStep } from './install.js';
import { clusterStep, hostStep, idsOf, type StepFields } from './step.js';
import type { Step } from './types.js';

/** What of a cluster is given back, and how. */
export interface ResetOptions {
  /** Name of the one host; missing: all of them. */
  host?: string;
  /** Whether pods are moved off that host first; default true. */
  drain?: boolean;
}

/** Says which hosts cannot be reached, and whose the others are: every step needs its word. */
export const RESET_PREFLIGHT = 'cluster/preflight';
const BACKUP = 'cluster/backup';

/**
 * Computes the steps that give hosts back: the whole cluster, or one host of it. Pure. Nothing is changed on any host before all of
 * them were looked at and the backup is where it names.
 */
export function planReset(cluster: Cluster, { host: name, drain = true }: ResetOptions = {}): Step[] {
  if (name === undefined) return planWhole(cluster);
  const host = cluster.hosts.find((each) => each.name === name);
  // The command refuses a name that the file does not have, so this is a programming error, not a user's.
  if (host === undefined) throw new Error(`no host ${name}`);
  return planOne(cluster, host, drain);
}

/**
 * Who is needed longest goes last: while a worker makes trouble the API is there to look with. The cluster dies as a whole, so nobody
 * drains, and no member leaves etcd.
 */
function planWhole(cluster: Cluster): Step[] {
  const waves = [hostsOf(cluster, 'worker'), hostsOf(cluster, 'control-plane')];
  const last = [...hostsOf(cluster, 'etcd'), ...hostsOf(cluster, 'director')];
  const steps: Step[] = [];
  let before = [BACKUP];
  for (const wave of [...waves, last]) {
    const undone = wave.flatMap((host) => undo(host, [RESET_PREFLIGHT, ...before], true));
    steps.push(...undone);
    const resets = idsOf(undone.filter(({ action }) => action === 'resetHost'));
    if (resets.length > 0) before = resets;
  }
  return [...begin(undefined), ...steps, releaseStep(idsOf(steps.filter(({ action }) => action === 'forgetHost')))];
}

/**
 * As Cluster API takes a control plane away: pods first, then the vote in etcd, then the host. The node goes when its kubelet is gone,
 * which would register it again.
 */
function planOne(cluster: Cluster, host: ClusterHost, drain: boolean): Step[] {
  const { name } = host;
  const of = (verb: string, fields: StepFields): Step => ({
    ...hostStep(host, verb, fields),
    // The one host is what the run is for: without it nothing is left to do.
    skippable: false,
  });
  const first = [RESET_PREFLIGHT, BACKUP];
  const drained = of('drain', {
    phase: 'leave',
    action: 'drainNode',
    title: `Move the pods of ${name} to other hosts`,
    needs: first,
    timeoutMinutes: 20,
  });
  const drains = isNode(host.role) && drain ? [drained] : [];
  const vote = of('etcd-member', {
    phase: 'leave',
    action: 'removeEtcdMember',
    title: `Take the member of ${name} out of etcd`,
    needs: [...first, ...idsOf(drains)],
  });
  const votes = holdsMember(cluster, host.role) ? [vote] : [];
  const undone = undo(host, [...first, ...idsOf(drains), ...idsOf(votes)], false);
  const node = of('node', {
    phase: 'leave',
    action: 'removeNode',
    title: `Take the node ${name} out of the cluster`,
    needs: [RESET_PREFLIGHT, `${name}/reset`],
  });
  const nodes = isNode(host.role) ? [node] : [];
  const uncordon = of('uncordon', {
    phase: 'leave',
    action: 'uncordonNode',
    title: `Let ${name} take pods again, should it stay`,
    needs: [...idsOf(drains), ...idsOf(nodes)],
  });
  // Where the node is gone there is nothing to do; behind an abort it is put back.
  const uncordons: Step[] = drains.length > 0 ? [{ ...uncordon, always: true }] : [];
  const record = {
    ...clusterStep('record', {
      phase: 'record',
      action: 'recordReset',
      title: `Record that ${name} is no part of the cluster any more`,
      needs: [RESET_PREFLIGHT, ...idsOf(nodes), `${name}/forget`],
    }),
    with: { host: name },
  };
  return [
    ...begin(name),
    ...drains,
    ...votes,
    ...undone,
    ...nodes,
    ...uncordons,
    record,
    releaseStep([record.id, ...idsOf(uncordons)]),
  ];
}

function begin(host: string | undefined): Step[] {
  const subject = host === undefined ? {} : { with: { host } };
  const preflight = clusterStep('preflight', {
    phase: 'preflight',
    action: 'checkReset',
    title: 'Check whose the hosts are, and whether they can be given back',
    needs: [],
  });
  const backup = clusterStep('backup', {
    phase: 'backup',
    action: 'backUpCluster',
    title: 'Keep an encrypted backup of certificates, manifests and etcd',
    needs: [RESET_PREFLIGHT],
    timeoutMinutes: 60,
  });
  return [
    { ...preflight, ...subject },
    // Where no control plane can be reached a person decides whether the hosts are given back without one.
    { ...backup, ...subject, skippable: true },
  ];
}

/** @param needs of the first of a host's three steps */
function undo(host: ClusterHost, needs: string[], skippable: boolean): Step[] {
  const { name } = host;
  const reset = hostStep(host, 'reset', {
    phase: 'reset',
    action: 'resetHost',
    title: `Stop what runs on ${name}, and take away what Kubewright put there`,
    needs,
    timeoutMinutes: 40,
    skippable,
  });
  const compare = hostStep(host, 'compare', {
    phase: 'reset',
    action: 'compareHost',
    title: `Compare ${name} with what it was before`,
    needs: [RESET_PREFLIGHT, reset.id],
    skippable,
  });
  const forget = hostStep(host, 'forget', {
    phase: 'reset',
    action: 'forgetHost',
    title: `Take the record of the cluster from ${name}`,
    needs: [RESET_PREFLIGHT, compare.id],
    skippable,
  });
  return [reset, compare, forget];
}
