import { type Cluster, type ClusterHost, hostsOf } from '../../cluster/types.js';
import { podNetworkOf } from '../../components/registry/plan.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { alikeNodes, type SeenNodes } from '../../plan/sight.js';
import { every } from '../answers.js';
import { findControlPlane, requireControlPlane } from '../kubeadm/control-plane.js';
import { leftJoinSecrets, revokeLeftJoinSecrets } from '../kubeadm/join/secrets.js';
import { gatherFacts } from '../remote-facts.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { awaitFaultless, type Faults, faultsFrom, whatIsWrong } from './await-state.js';

/** A node becomes Ready when the pod network has written its CNI configuration; images are there already. */
const PATIENCE_MS = 5 * 60_000;
const LOOK_EVERY_MS = 1_000;

/** Name, Ready, kubelet version, internal addresses, all conditions, why it is not Ready: a line a node, a tab between. */
const LINES = [
  '{.metadata.name}',
  '{.status.conditions[?(@.type=="Ready")].status}',
  '{.status.nodeInfo.kubeletVersion}',
  '{.status.addresses[?(@.type=="InternalIP")].address}',
  '{range .status.conditions[*]}{.type}={.status} {end}',
  '{.status.conditions[?(@.type=="Ready")].message}',
].join('{"\\t"}');

/**
 * Holds when every node of the file is in the cluster and Ready, with the right version and its own address, and nothing
 * is left of what the joins were let in with. Where a person brings the pod network later, the nodes may all wait for it.
 */
export const verifyNodes: StepImplementation = {
  async probe(context) {
    const nodes = await lookAtNodes(context);
    const faults = whatIsWrong(faultsIn(nodes));
    const count = nodesOf(context.cluster).length;
    if (faults.length > 0)
      return {
        done: false,
        found: faults.join('; '),
        changes: ['wait until every node is Ready, and revoke what joins left'],
      };
    if (nodes.waiting.length > 0) return waitingForNetwork(context.cluster, count);
    return { done: true, found: `${count} nodes Ready with v${context.cluster.kubernetes.version}`, changes: [] };
  },

  async apply(context) {
    // All joins have ended: what is left was minted by an attempt that did not live to take it back.
    await revokeLeftJoinSecrets(context, await requireControlPlane(context));
    const look = async () => faultsIn(await lookAtNodes(context));
    const faults = await awaitFaultless(context, 'whether all nodes are Ready', look, {
      patienceMs: PATIENCE_MS,
      everyMs: LOOK_EVERY_MS,
    });
    if (faults.length === 0) return;
    throw new KubewrightError('KW481', `not all nodes are as they should be: ${faults.join('; ')}`, {
      hint: 'On a node that is not Ready, `journalctl -u kubelet` and `crictl ps -a` say why. Mend the cause, then retry the step.',
    });
  },
};

/** The kubelet's own conditions, and the network's. Others (of monitoring agents, of vendors) may well be True in a good node. */
const TROUBLE = /^(MemoryPressure|DiskPressure|PIDPressure|NetworkUnavailable)=(True|Unknown)$/;

export function nodesOf(cluster: Cluster): ClusterHost[] {
  return [...hostsOf(cluster, 'control-plane'), ...hostsOf(cluster, 'worker')];
}

/** Something that is wrong with a node; `host` is null where the nodes could not be asked for. */
export interface NodeFault {
  host: string | null;
  what: string;
}

function faultsIn({ faults, left }: LookAtNodes): Faults {
  const tokens = left === 0 ? [] : [`${left} tokens of joins that have ended are left`];
  const unasked = faults.filter(({ host }) => host === null);
  const seen = faults.filter(({ host }) => host !== null);
  return faultsFrom(
    [...seen.map(({ what }) => what), ...tokens],
    unasked.map(({ what }) => what),
  );
}

export interface LookAtNodes {
  faults: NodeFault[];
  /** How many secrets of joins are left: none while no install is under way. */
  left: number;
  /** Names of nodes that lack nothing but the pod network that a person brings: all of them or none. */
  waiting: string[];
  /** The nodes that there are; undefined where the API was not asked. */
  seen?: SeenNodes[];
}

/** What is wrong with nodes, and what is left of joins. */
export async function lookAtNodes(context: StepContext): Promise<LookAtNodes> {
  const notAsked = (what: string) => ({ faults: [{ host: null, what }], left: 0, waiting: [] });
  const via = await findControlPlane(context);
  if (via === undefined) return notAsked('no control plane is ready');
  const template = `jsonpath={range .items[*]}${LINES}{"\\n"}{end}`;
  const script = `ask nodes ${via.kubectl} get nodes -o ${quote(template)} &
ask secrets ${leftJoinSecrets(via)} &
wait`;
  const facts = await gatherFacts(via.remote, script, context.signal);
  const asked = every([facts.answer('nodes', 'there are no nodes'), facts.answer('secrets', 'there are no secrets')]);
  if (asked.is !== 'yes') return notAsked(`the API was not asked: ${asked.is === 'no' ? asked.evidence : asked.why}`);
  const [nodes = '', secrets = ''] = asked.value;
  const left = secrets.split('\n').filter((line) => line !== '');
  const lines = nodes.split('\n');
  const present = new Map(lines.map((line) => line.split('\t')).map(([name = '', ...rest]) => [name, rest]));
  const waiting = nodesWithoutNetwork(context.cluster, present);
  const faults = nodesOf(context.cluster).flatMap((host) =>
    faultsOfNode(host, present.get(host.name), context.cluster, waiting.includes(host.name)).map((what) => ({
      host: host.name,
      what,
    })),
  );
  return { faults, left: left.length, waiting, seen: nodesIn(context.cluster, present) };
}

/** In the order of the cluster; those that it does not know last. What names no kubelet is a line of somebody's message. */
function nodesIn(cluster: Cluster, present: Map<string, string[]>): SeenNodes[] {
  const known = nodesOf(cluster).flatMap(({ name }) => (present.has(name) ? [name] : []));
  const others = [...present].flatMap(([name, [, kubelet = '']]) => (kubelet === '' ? [] : [name]));
  const names = new Set([...known, ...others]);
  return alikeNodes(
    [...names].map((name) => {
      const [ready, kubelet = ''] = present.get(name) ?? [];
      return { name, ready: ready === 'True', kubelet };
    }),
  );
}

/** What the kubelet says of a node that lacks nothing else (`networkErrorsFunc` of its node status). */
const LACKS_NETWORK = /^container runtime network not ready: NetworkReady=false /;

/**
 * Nodes that wait for the network that a person brings. Once one node is Ready it is there, and what another one lacks is a
 * fault.
 */
function nodesWithoutNetwork(cluster: Cluster, present: Map<string, string[]>): string[] {
  if (!podNetworkOf(cluster).isBroughtLater) return [];
  const nodes = nodesOf(cluster).map(({ name }) => ({ name, fields: present.get(name) ?? [] }));
  if (nodes.some(({ fields: [ready] }) => ready === 'True')) return [];
  return nodes.filter(({ fields: [, , , , message = ''] }) => LACKS_NETWORK.test(message)).map(({ name }) => name);
}

function waitingForNetwork({ kubernetes }: Cluster, count: number): Probe {
  const leftToDo = `bring a pod network for ${kubernetes.podSubnet}, which no plugin of cluster.yaml does: until then no node is Ready and no pod of DNS runs. Then call install again, which proves both`;
  return {
    done: true,
    found: `${count} nodes of v${kubernetes.version} wait for their pod network; left to do: ${leftToDo}`,
    changes: [],
    data: { leftToDo },
  };
}

/** @param waits whether it may not be Ready, for it waits for its network */
function faultsOfNode(host: ClusterHost, node: string[] | undefined, cluster: Cluster, waits: boolean): string[] {
  if (node === undefined) return [`${host.name} is no node of the cluster`];
  const [ready = '', version = '', addresses = '', conditions = ''] = node;
  const faults: string[] = [];
  if (ready !== 'True' && !waits) faults.push(`${host.name} is not Ready`);
  const wrong = conditions.split(' ').filter((condition) => TROUBLE.test(condition));
  if (ready === 'True') faults.push(...wrong.map((condition) => `${host.name} has the condition ${condition}`));
  if (version !== `v${cluster.kubernetes.version}`) faults.push(`${host.name} has kubelet ${version}`);
  if (!addresses.split(' ').includes(host.address)) {
    faults.push(`${host.name} has the address ${addresses || '(none)'} instead of ${host.address}`);
  }
  return faults;
}
