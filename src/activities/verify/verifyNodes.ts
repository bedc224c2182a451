import { type Cluster, type ClusterHost, hostsOf } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { every } from '../answers.js';
import { findControlPlane, requireControlPlane } from '../kubeadm/control-plane.js';
import { leftJoinSecrets, revokeLeftJoinSecrets } from '../kubeadm/join/secrets.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { awaitFaultless, type Faults, faultsFrom, whatIsWrong } from './await-state.js';

/** A node becomes Ready when flannel's pod has written its CNI configuration; images are there already. */
const PATIENCE_MS = 5 * 60_000;
const LOOK_EVERY_MS = 1_000;

/** Name, Ready, kubelet version, internal addresses, all conditions: a line a node, a tab between. */
const LINES = [
  '{.metadata.name}',
  '{.status.conditions[?(@.type=="Ready")].status}',
  '{.status.nodeInfo.kubeletVersion}',
  '{.status.addresses[?(@.type=="InternalIP")].address}',
  '{range .status.conditions[*]}{.type}={.status} {end}',
].join('{"\\t"}');

/**
 * Holds when every node of the file is in the cluster and Ready, with the right version and its own address, and nothing
 * is left of what the joins were let in with.
 */
export const verifyNodes: StepImplementation = {
  async probe(context) {
    const faults = whatIsWrong(await faultsOf(context));
    const count = nodesOf(context.cluster).length;
    if (faults.length > 0)
      return {
        done: false,
        found: faults.join('; '),
        changes: ['wait until every node is Ready, and revoke what joins left'],
      };
    return { done: true, found: `${count} nodes Ready with v${context.cluster.kubernetes.version}`, changes: [] };
  },

  async apply(context) {
    // All joins have ended: what is left was minted by an attempt that did not live to take it back.
    await revokeLeftJoinSecrets(context, await requireControlPlane(context));
    const faults = await awaitFaultless(context, 'whether all nodes are Ready', () => faultsOf(context), {
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

async function faultsOf(context: StepContext): Promise<Faults> {
  const { faults, left } = await lookAtNodes(context);
  const tokens = left === 0 ? [] : [`${left} tokens of joins that have ended are left`];
  const unasked = faults.filter(({ host }) => host === null);
  const seen = faults.filter(({ host }) => host !== null);
  return faultsFrom(
    [...seen.map(({ what }) => what), ...tokens],
    unasked.map(({ what }) => what),
  );
}

/** What is wrong with nodes, and how many secrets of joins are left, which are none while no install is under way. */
export async function lookAtNodes(context: StepContext): Promise<{ faults: NodeFault[]; left: number }> {
  const notAsked = (what: string) => ({ faults: [{ host: null, what }], left: 0 });
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
  const faults = nodesOf(context.cluster).flatMap((host) =>
    faultsOfNode(host, present.get(host.name), context.cluster).map((what) => ({ host: host.name, what })),
  );
  return { faults, left: left.length };
}

function faultsOfNode(host: ClusterHost, node: string[] | undefined, cluster: Cluster): string[] {
  if (node === undefined) return [`${host.name} is no node of the cluster`];
  const [ready = '', version = '', addresses = '', conditions = ''] = node;
  const faults: string[] = [];
  if (ready !== 'True') faults.push(`${host.name} is not Ready`);
  const wrong = conditions.split(' ').filter((condition) => TROUBLE.test(condition));
  if (ready === 'True') faults.push(...wrong.map((condition) => `${host.name} has the condition ${condition}`));
  if (version !== `v${cluster.kubernetes.version}`) faults.push(`${host.name} has kubelet ${version}`);
  if (!addresses.split(' ').includes(host.address)) {
    faults.push(`${host.name} has the address ${addresses || '(none)'} instead of ${host.address}`);
  }
  return faults;
}
