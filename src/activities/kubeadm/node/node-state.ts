import { isIP } from 'node:net';
import { chosenPorts } from '../../../cluster/chosen-ports.js';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { isVoter, memberListFunction, memberOf, membersIn } from '../../../components/etcd/members/members.js';
import { kubeadmMakesMember } from '../../../components/registry/plan.js';
import { endpointOf } from '../../../render/kubeadm.js';
import { OWNER_PATH, parseOwner } from '../../../render/owner.js';
import { type Answer, no, refine, unknown, yes } from '../../answers.js';
import { NODE_PATHS } from '../../node-leftovers.js';
import { CERTIFICATE_DIGEST } from '../../prepare/facts/script.js';
import { hostOf } from '../../prepare/target.js';
import { type Facts, gatherFacts } from '../../remote-facts.js';
import type { StepContext } from '../../types.js';
import { ADMIN_KUBECONFIG, kubectl } from '../control-plane.js';
import { apiGetFunction, CA_CERTIFICATE } from './api-get.js';
import { metadataCommands, type NodeObject, nodeIn, nodeQuestion, parseNodeJson } from './node-object.js';
import { CONTROL_PLANE_COMPONENTS, staticPodFacts, staticPodFault } from './static-pods.js';

export const KUBELET_KUBECONFIG = '/etc/kubernetes/kubelet.conf';

/** How a host stands in its cluster: the post-condition of init and of both joins. */
export interface NodeState {
  /** What keeps it from being a whole member; empty when it is one. */
  faults: string[];
  /** Those of them that are only not known, because who knows did not answer. */
  unasked: string[];
  /** Whether something of a cluster is on the host. Only a no, which is the host's own, makes it a blank one. */
  traces: Answer<string>;
  /** Whether an init or a join of it has ended well, as its ownership record says. */
  joinedBefore: Answer<string>;
  /** Its node object, as far as it can be seen from the host itself. */
  node: Answer<NodeObject>;
  /** kubectl arguments that are still to be run for its labels and taints. */
  metadata: string[];
  /** `sha256:…` of the cluster's CA certificate on the host. */
  caFingerprint: string | undefined;
  /** Whether the ownership record has that fingerprint. */
  recorded: boolean;
}

/** Asks a control plane or a worker in one round trip. Changes nothing, and finds its way on a bare host too. */
export async function lookAtNode(context: StepContext): Promise<NodeState> {
  const host = hostOf(context);
  const { cluster } = context;
  const controlPlane = host.role === 'control-plane';
  const specific = controlPlane ? controlPlaneFacts(cluster, host) : workerFacts(cluster, host);
  const facts = await gatherFacts(context.host, `${commonFacts()}${specific}`, context.signal);
  const traces = facts.answer('traces', `nothing of a cluster is on ${host.name}`);
  const node = controlPlane ? nodeIn(facts, host) : refine(facts.answer('node', notThere(host)), parseNodeJson);
  const digest = facts.text('ca');
  const caFingerprint = digest === '' ? undefined : `sha256:${digest}`;
  const owner = refine(facts.answer('owner', `${host.name} has no ownership record`), fingerprintIn);
  const unasked = node.is === 'unknown' && traces.is !== 'no' ? [untold(node)] : [];
  return {
    faults: [
      ...(facts.text('kubelet') === 'active' ? [] : ['the kubelet does not run']),
      ...(controlPlane ? controlPlaneFaults(cluster, host, facts) : workerFaults(cluster, facts)),
      ...nodeFaults(cluster, host, node, traces),
      ...unasked,
    ],
    unasked,
    traces,
    joinedBefore: owner,
    node,
    metadata: node.is === 'yes' ? metadataCommands(host, node.value) : [],
    caFingerprint,
    recorded: caFingerprint !== undefined && owner.is === 'yes' && owner.value === caFingerprint,
  };
}

function notThere({ name }: ClusterHost): string {
  return `the API has no node ${name}`;
}

/** The CA's fingerprint comes into the record when a host is a whole member, and not before. */
function fingerprintIn(record: string): Answer<string> {
  const owner = parseOwner(record);
  if (owner === undefined) return unknown(`${OWNER_PATH} cannot be read`);
  return owner.caFingerprint === null ? no('no join of this host has ended well yet') : yes(owner.caFingerprint);
}

function commonFacts(): string {
  return `${CERTIFICATE_DIGEST}
ask traces exists ${NODE_PATHS.join(' ')}
fact kubelet systemctl is-active kubelet
fact ca certificate_digest ${CA_CERTIFICATE}
ask owner content ${OWNER_PATH}
`;
}

function controlPlaneFacts(cluster: Cluster, host: ClusterHost): string {
  const stacked = kubeadmMakesMember(cluster, host.role);
  const components = stacked ? [...CONTROL_PLANE_COMPONENTS, 'etcd'] : CONTROL_PLANE_COMPONENTS;
  return `${staticPodFacts(components)}${memberListFunction(cluster)}${nodeQuestion(kubectl(cluster, host), host)}
if [ -e ${ADMIN_KUBECONFIG} ]; then
  ask ready ${kubectl(cluster, host)} get --raw /readyz &
  ask version ${kubectl(cluster, host)} get --raw /version &
  ask node node_object &
  ${stacked ? 'ask members member_list &' : ''}
fi
wait
`;
}

function workerFacts(cluster: Cluster, host: ClusterHost): string {
  const { address, port } = healthEndpoint(cluster);
  const health = `healthz() {
  exec 3<>/dev/tcp/${address}/${port} && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 || return 1
  local status
  read -r -t 2 _ status _ <&3 && [ "$status" = 200 ]
}
fact healthz healthz
`;
  return `${apiGetFunction(cluster)}${port === 0 ? '' : health}fact server awk '$1 == "server:" {print $2}' ${KUBELET_KUBECONFIG}
[ ! -e ${KUBELET_KUBECONFIG} ] || ask node api_get /api/v1/nodes/${host.name}
`;
}

/** Where the kubelet tells of its health: KubeletConfiguration's healthzBindAddress and healthzPort (0: nowhere). */
function healthEndpoint({ kubernetes }: Cluster): { address: string; port: number } {
  const { healthzBindAddress } = kubernetes.kubelet.config;
  const address = typeof healthzBindAddress === 'string' && isIP(healthzBindAddress) ? healthzBindAddress : '127.0.0.1';
  return {
    address: address === '0.0.0.0' ? '127.0.0.1' : address,
    port: chosenPorts({ kubernetes }).kubeletHealth,
  };
}

function controlPlaneFaults(cluster: Cluster, host: ClusterHost, facts: Facts): string[] {
  const faults = CONTROL_PLANE_COMPONENTS.flatMap((component) => staticPodFault(facts, component) ?? []);
  const ready = facts.answer('ready', '');
  if (ready.is !== 'yes' || ready.value !== 'ok') faults.push(`its API server is not ready${reasonOf(ready)}`);
  else faults.push(...versionFaults(cluster, facts));
  if (kubeadmMakesMember(cluster, host.role)) {
    const etcd = staticPodFault(facts, 'etcd');
    const members = membersIn(facts, 'members');
    if (etcd !== undefined) faults.push(etcd);
    else if (members.is !== 'yes') faults.push(`its etcd member does not tell the members${reasonOf(members)}`);
    else if (!isVoter(memberOf(members.value, host))) faults.push('its etcd member is no voter');
  }
  return faults;
}

/** Why it is not known, in the last words of the program that was asked: an expired certificate, a refused connection. */
export function reasonOf(answer: Answer<unknown>): string {
  if (answer.is !== 'unknown') return '';
  const last = answer.why.trim().split('\n').at(-1) ?? '';
  return ` (${last.slice(0, 200)})`;
}

function versionFaults({ kubernetes }: Cluster, facts: Facts): string[] {
  const version = refine(facts.answer('version', ''), (json) => {
    const told = /"gitVersion": *"([^"]*)"/.exec(json)?.[1];
    return told === undefined ? unknown('it tells no version') : yes(told);
  });
  if (version.is !== 'yes') return [`it cannot be told which version its API server is${reasonOf(version)}`];
  return version.value === `v${kubernetes.version}`
    ? []
    : [`its API server is ${version.value}, not v${kubernetes.version}`];
}

function workerFaults(cluster: Cluster, facts: Facts): string[] {
  const silent = healthEndpoint(cluster).port === 0;
  const faults = silent || facts.holds('healthz') ? [] : ['the kubelet is not healthy'];
  const server = `https://${endpointOf(cluster)}`;
  if (facts.text('server') !== server) faults.push(`the kubelet does not talk to ${server}`);
  return faults;
}

function untold(node: Answer<NodeObject>): string {
  return `it cannot be told whether the cluster has it as a node${reasonOf(node)}`;
}

/** Without what is not known. */
function nodeFaults(cluster: Cluster, host: ClusterHost, node: Answer<NodeObject>, traces: Answer<string>): string[] {
  if (node.is === 'no' || traces.is === 'no') return ['the cluster does not have it as a node'];
  if (node.is === 'unknown') return [];
  const { internalAddresses, kubeletVersion } = node.value;
  const faults: string[] = [];
  if (!internalAddresses.includes(host.address)) {
    faults.push(`its node has the address ${internalAddresses.join(', ') || '(none)'}, not ${host.address}`);
  }
  if (kubeletVersion !== `v${cluster.kubernetes.version}`) {
    faults.push(`its kubelet is ${kubeletVersion}, not v${cluster.kubernetes.version}`);
  }
  return faults;
}
