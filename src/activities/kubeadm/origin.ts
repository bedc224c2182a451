import { type ClusterHost, hostsOf } from '../../cluster/types.js';
import { QUORUM_RECOVERY } from '../../components/etcd/members/remove-member.js';
import { etcdWorkOf } from '../../components/registry/work.js';
import { KubewrightError } from '../../errors.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { type Answer, requireKnown } from '../answers.js';
import type { StepContext } from '../types.js';
import { waitOf } from '../verify/await-state.js';
import { type ControlPlaneLook, lookAtControlPlanes } from './control-plane.js';

const PATIENCE_MS = 60_000;
const POLL_MS = 1_000;

/**
 * Where the cluster is that a control plane belongs to:
 * - `here`: it has begun on this host, or there is none yet and it may begin here
 * - `elsewhere`: other control planes have it and answer; this host has to be joined
 */
export type Origin = 'here' | 'elsewhere';

/**
 * Decides whether `kubeadm init` may run. The hosts are asked, not a history: after the loss of Temporal's database, or
 * when this host was replaced, a second init would make a second cluster, or destroy the first one's data.
 *
 * @param traces whether something of a cluster is on this host
 * @param patienceMs how long a cluster that does not answer is waited for
 * @throws KubewrightError KW465 when other control planes have the cluster but none answers, KW466 (transient) when one
 * that may have it cannot be reached, KW467 when external etcd has a cluster's data that no control plane knows
 */
export async function originOf(
  context: StepContext,
  host: ClusterHost,
  traces: Answer<string>,
  patienceMs = PATIENCE_MS,
): Promise<Origin> {
  const others = hostsOf(context.cluster, 'control-plane').filter(({ name }) => name !== host.name);
  let silent: ControlPlaneLook[] = [];
  const look = async () => {
    const looks = await lookAtControlPlanes(context, others);
    if (looks.some(({ state }) => state === 'ready')) return seen<Origin | 'nowhere'>('elsewhere');
    // What has begun here goes on here: the others may well be waiting for this host's etcd.
    if (requireKnown(traces, 'whether a cluster has begun here', host.name).is === 'yes') return seen<Origin>('here');
    const unknown = looks.filter(({ state }) => state === 'unknown');
    if (unknown.length > 0) throw cannotTell(host, unknown);
    silent = looks.filter(({ state }) => state === 'not-ready');
    return silent.length === 0
      ? seen('nowhere' as const)
      : notYet(`waiting for the cluster on ${namesOf(silent)} to answer`);
  };
  const origin = await lookUntil<Origin | 'nowhere'>(look, { patienceMs, everyMs: POLL_MS, ...waitOf(context) });
  if (origin === undefined) throw silentCluster(host, silent);
  if (origin !== 'nowhere') return origin;
  await etcdWorkOf(context.cluster).refuseFormerData(context, host);
  return 'here';
}

function namesOf(looks: ControlPlaneLook[]): string {
  return looks.map(({ host }) => host.name).join(', ');
}

function cannotTell(host: ClusterHost, unknown: ControlPlaneLook[]): KubewrightError {
  return new KubewrightError('KW466', `cannot tell whether there is a cluster already: no way to ${namesOf(unknown)}`, {
    host: host.name,
    transient: true,
    hint: `The step goes on by itself when ${namesOf(unknown)} can be reached. A host that is gone for good has to leave cluster.yaml first.`,
  });
}

function silentCluster(host: ClusterHost, silent: ControlPlaneLook[]): KubewrightError {
  const names = namesOf(silent);
  return new KubewrightError(
    'KW465',
    `the cluster is on ${names}, which does not answer; beginning anew would destroy it`,
    {
      host: host.name,
      hint: `Bring the API server of ${names} back, then retry the step: this host is joined to it. If its etcd lost the quorum, see ${QUORUM_RECOVERY}.`,
    },
  );
}
