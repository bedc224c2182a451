import { setTimeout as pause } from 'node:timers/promises';
import { type ClusterHost, etcdHosts, hostsOf } from '../../cluster/types.js';
import { QUORUM_RECOVERY } from '../../components/etcd/members/remove-member.js';
import { clientUrl } from '../../components/etcd/static-pods/render/member.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { ETCD_CLIENT_FILES } from '../../render/kubeadm.js';
import { type Answer, no, refine, requireKnown, unknown, yes } from '../answers.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { type ControlPlaneLook, lookAtControlPlanes } from './control-plane.js';

const PATIENCE_MS = 60_000;

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
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const looks = await lookAtControlPlanes(context, others);
    if (looks.some(({ state }) => state === 'ready')) return 'elsewhere';
    // What has begun here goes on here: the others may well be waiting for this host's etcd.
    if (requireKnown(traces, 'whether a cluster has begun here', host.name).is === 'yes') return 'here';
    const unknown = looks.filter(({ state }) => state === 'unknown');
    if (unknown.length > 0) throw cannotTell(host, unknown);
    const silent = looks.filter(({ state }) => state === 'not-ready');
    if (silent.length === 0) break;
    if (Date.now() > deadline) throw silentCluster(host, silent);
    context.progress(`waiting for the cluster on ${namesOf(silent)} to answer`);
    await pause(1_000, undefined, { signal: context.signal });
  }
  if (context.cluster.etcd.topology === 'external') await refuseForeignData(context, host);
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

/** A new cluster has a new CA: with the old one's data its nodes and service accounts would be strangers to it. */
async function refuseForeignData(context: StepContext, host: ClusterHost): Promise<void> {
  const endpoints = etcdHosts(context.cluster).map(({ address }) => clientUrl(address));
  const { ca, certificate, key } = ETCD_CLIENT_FILES;
  const script = `ask keys etcdctl --dial-timeout=2s --command-timeout=5s --endpoints=${quote(endpoints.join(','))} \\
  --cacert=${ca} --cert=${certificate} --key=${key} get /registry/ --prefix --count-only --write-out=fields`;
  const facts = await gatherFacts(context.host, script, context.signal);
  const keys = requireKnown(refine(facts.answer('keys', ''), emptiness), 'whether etcd has a cluster', host.name);
  if (keys.is === 'no') return;
  throw new KubewrightError('KW467', 'etcd holds the data of a cluster, and no control plane has its certificates', {
    host: host.name,
    hint: 'Put a backup of /etc/kubernetes/pki back on this host and retry the step. If that cluster may go, its etcd has to be made empty first: see docs/topologies.md, "External etcd".',
  });
}

/** Only a count of zero, in etcd's own words, says that there is nothing. */
function emptiness(text: string): Answer<number> {
  const count = /^"Count" : (\d+)$/m.exec(text)?.[1];
  if (count === undefined) return unknown('etcdctl does not say how many keys there are');
  return count === '0' ? no('etcd counts no key below /registry/') : yes(Number(count));
}
