import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import { endpointOf } from '../../../render/kubeadm.js';
import { OWNER_PATH, parseOwner } from '../../../render/owner.js';
import { isVoter, MEMBER_LIST, memberOf, parseMembers } from '../../etcd/members.js';
import { hostOf } from '../../prepare/target.js';
import { type Facts, gatherFacts } from '../../remote-facts.js';
import type { StepContext } from '../../types.js';
import { ADMIN_KUBECONFIG, kubectl } from '../control-plane.js';
import { apiGetFunction, CA_CERTIFICATE } from './api-get.js';
import { metadataCommands, NODE_TEMPLATE, type NodeObject, parseNode, parseNodeJson } from './node-object.js';
import { CONTROL_PLANE_COMPONENTS, staticPodFacts, staticPodFault } from './static-pods.js';

export const KUBELET_KUBECONFIG = '/etc/kubernetes/kubelet.conf';

/** How a host stands in its cluster: the post-condition of init and of both joins. */
export interface NodeState {
  /** What keeps it from being a whole member; empty when it is one. */
  faults: string[];
  /** True when nothing of a cluster is on the host. */
  blank: boolean;
  /** Its node object, as far as it can be seen from the host itself. */
  node: NodeObject | undefined;
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
  const node = controlPlane ? parseNode(facts.text('node')) : parseNodeJson(facts.text('node'));
  const digest = facts.text('ca');
  const caFingerprint = digest === '' ? undefined : `sha256:${digest}`;
  return {
    faults: [
      ...(facts.text('kubelet') === 'active' ? [] : ['the kubelet does not run']),
      ...(controlPlane ? controlPlaneFaults(cluster, host, facts) : workerFaults(cluster, facts)),
      ...nodeFaults(cluster, host, node),
    ],
    blank: !facts.holds('leftovers'),
    node,
    metadata: node === undefined ? [] : metadataCommands(host, node),
    caFingerprint,
    recorded: caFingerprint !== undefined && parseOwner(facts.text('owner'))?.caFingerprint === caFingerprint,
  };
}

function commonFacts(): string {
  return `leftovers() {
  local file
  for file in ${KUBELET_KUBECONFIG} /etc/kubernetes/bootstrap-kubelet.conf /etc/kubernetes/manifests/*.yaml \\
    /etc/kubernetes/pki/ca.key /var/lib/etcd/member; do [ ! -e "$file" ] || return 0; done
  return 1
}
der_digest() {
  [ -r "$1" ] && awk '/BEGIN CERTIFICATE/ {on=1; next} /END CERTIFICATE/ {exit} on' "$1" | base64 -d | sha256sum | cut -c 1-64
}
fact leftovers leftovers
fact kubelet systemctl is-active kubelet
fact ca der_digest ${CA_CERTIFICATE}
fact owner cat ${OWNER_PATH}
`;
}

function controlPlaneFacts(cluster: Cluster, host: ClusterHost): string {
  const stacked = cluster.etcd.topology === 'stacked';
  const components = stacked ? [...CONTROL_PLANE_COMPONENTS, 'etcd'] : CONTROL_PLANE_COMPONENTS;
  return `${staticPodFacts(components)}${MEMBER_LIST}
if [ -e ${ADMIN_KUBECONFIG} ]; then
  fact ready ${kubectl(host)} get --raw /readyz &
  fact version ${kubectl(host)} get --raw /version &
  fact node ${kubectl(host)} get node ${quote(host.name)} -o ${quote(`jsonpath=${NODE_TEMPLATE}`)} &
  ${stacked ? 'fact members member_list &' : ''}
fi
wait
`;
}

function workerFacts(cluster: Cluster, host: ClusterHost): string {
  return `${apiGetFunction(cluster)}healthz() {
  exec 3<>/dev/tcp/127.0.0.1/10248 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 || return 1
  local status
  read -r -t 2 _ status _ <&3 && [ "$status" = 200 ]
}
fact healthz healthz
fact server awk '$1 == "server:" {print $2}' ${KUBELET_KUBECONFIG}
[ ! -e ${KUBELET_KUBECONFIG} ] || fact node api_get /api/v1/nodes/${host.name}
`;
}

function controlPlaneFaults(cluster: Cluster, host: ClusterHost, facts: Facts): string[] {
  const faults = CONTROL_PLANE_COMPONENTS.flatMap((component) => staticPodFault(facts, component) ?? []);
  if (facts.text('ready') !== 'ok') faults.push('its API server is not ready');
  else if (versionOf(facts.text('version')) !== `v${cluster.kubernetes.version}`) {
    faults.push(`its API server is ${versionOf(facts.text('version'))}, not v${cluster.kubernetes.version}`);
  }
  if (cluster.etcd.topology === 'stacked') {
    const etcd = staticPodFault(facts, 'etcd');
    if (etcd !== undefined) faults.push(etcd);
    else if (!isVoter(memberOf(parseMembers(facts.text('members')), host))) faults.push('its etcd member is no voter');
  }
  return faults;
}

function versionOf(json: string): string {
  return /"gitVersion": *"([^"]*)"/.exec(json)?.[1] ?? 'of an unknown version';
}

function workerFaults(cluster: Cluster, facts: Facts): string[] {
  const faults = facts.holds('healthz') ? [] : ['the kubelet is not healthy'];
  const server = `https://${endpointOf(cluster)}`;
  if (facts.text('server') !== server) faults.push(`the kubelet does not talk to ${server}`);
  return faults;
}

function nodeFaults(cluster: Cluster, host: ClusterHost, node: NodeObject | undefined): string[] {
  if (node === undefined) return ['the cluster does not have it as a node'];
  const faults: string[] = [];
  if (!node.internalAddresses.includes(host.address)) {
    faults.push(`its node has the address ${node.internalAddresses.join(', ') || '(none)'}, not ${host.address}`);
  }
  if (node.kubeletVersion !== `v${cluster.kubernetes.version}`) {
    faults.push(`its kubelet is ${node.kubeletVersion}, not v${cluster.kubernetes.version}`);
  }
  return faults;
}
