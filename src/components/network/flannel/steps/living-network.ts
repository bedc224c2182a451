import ipaddr from 'ipaddr.js';
import { requireKnown } from '../../../../activities/answers.js';
import { isMap } from '../../../../activities/applied/parse.js';
import type { ReadyControlPlane } from '../../../../activities/kubeadm/control-plane.js';
import { gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext } from '../../../../activities/types.js';
import { canonicalJson } from '../../../../cluster/hash.js';
import { type Cluster, hostsOf } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';
import {
  CONTENT_HASH_ANNOTATION,
  FLANNEL_CONFIG_MAP,
  FLANNEL_DAEMONSET,
  FLANNEL_NAMESPACE,
  type FlannelManifest,
} from '../render/manifest.js';
import { settingsOf } from '../settings.js';

/** flannel as a cluster has it. */
export interface LivingNetwork {
  /** Hash of the manifest that was applied; empty when there is no DaemonSet. */
  hash: string;
  /** net-conf.json; undefined when there is no ConfigMap. */
  config: { network: unknown; backend: unknown } | undefined;
  nodes: NetworkNode[];
  /** What `uname -m` says where it was asked. */
  machine: string;
}

interface NetworkNode {
  name: string;
  /** In Kubernetes' words: amd64, arm64. */
  architecture: string;
  /** The node's own network within the pod network; empty before the controller manager has given it one. */
  podCidr: string;
  /** What its flannel runs with; empty before flannel has run there. */
  backend: string;
}

const NODE_FIELDS = [
  '{.metadata.name}',
  '{.status.nodeInfo.architecture}',
  '{.spec.podCIDR}',
  '{.metadata.annotations.flannel\\.alpha\\.coreos\\.com/backend-type}',
].join('{"\\t"}');

/** @throws KubewrightError KW433 (transient) when the API does not tell */
export async function readNetwork(context: StepContext, via: ReadyControlPlane): Promise<LivingNetwork> {
  const hash = `{.metadata.annotations.${CONTENT_HASH_ANNOTATION.replaceAll('.', '\\.')}}`;
  const get = (what: string, path: string): string =>
    `${via.kubectl} -n ${FLANNEL_NAMESPACE} get ${what} --ignore-not-found -o ${quote(`jsonpath=${path}`)}`;
  const facts = await gatherFacts(
    via.remote,
    `fact machine uname -m
ask hash ${get(`daemonset ${FLANNEL_DAEMONSET}`, hash)} &
ask config ${get(`configmap ${FLANNEL_CONFIG_MAP}`, '{.data.net-conf\\.json}')} &
ask nodes ${via.kubectl} get nodes -o ${quote(`jsonpath={range .items[*]}${NODE_FIELDS}{"\\n"}{end}`)} &
wait`,
    context.signal,
  );
  const text = (name: string): string => {
    const answer = requireKnown(facts.answer(name, ''), 'which pod network the cluster has', via.host.name);
    return answer.is === 'yes' ? answer.value : '';
  };
  return {
    hash: text('hash'),
    config: parseConfig(text('config')),
    nodes: text('nodes').split('\n').filter(Boolean).map(parseNode),
    machine: facts.text('machine'),
  };
}

/** Something that is there and says nothing is another network than any. */
function parseConfig(text: string): LivingNetwork['config'] {
  if (text === '') return undefined;
  try {
    const config: unknown = JSON.parse(text);
    return isMap(config) ? { network: config.Network, backend: config.Backend } : { network: null, backend: null };
  } catch {
    return { network: null, backend: null };
  }
}

function parseNode(line: string): NetworkNode {
  const [name = '', architecture = '', podCidr = '', backend = ''] = line.split('\t');
  return { name, architecture, podCidr, backend };
}

/**
 * Objects of the manifest that the cluster does not have.
 * @throws KubewrightError KW433 (transient) when the API does not tell
 */
export async function missingObjects(
  context: StepContext,
  via: ReadyControlPlane,
  objects: FlannelManifest['objects'],
): Promise<string[]> {
  const names = objects.map(({ kind, name }) => `${kind.toLowerCase()}/${name}`);
  const get = `${via.kubectl} -n ${FLANNEL_NAMESPACE} get ${names.map(quote).join(' ')} --ignore-not-found -o name`;
  const facts = await gatherFacts(via.remote, `ask objects ${get}`, context.signal);
  const answer = requireKnown(facts.answer('objects', ''), 'what of the pod network is there', via.host.name);
  // As kubectl names them: `clusterrole.rbac.authorization.k8s.io/flannel`.
  const there = (answer.is === 'yes' ? answer.value : '')
    .split('\n')
    .map((line) => line.replace(/^([^./]*)[^/]*/, '$1'));
  return names.filter((name) => !there.includes(name));
}

/**
 * Why the manifest must not be applied: pods live in another network, or with another backend. A flannel of another network
 * than the nodes' own refuses to start, and one of another backend parts the nodes that have it from those that do not.
 *
 * @returns KW363, or undefined when it may be applied
 */
export function otherNetwork(cluster: Cluster, living: LivingNetwork): KubewrightError | undefined {
  const { podSubnet } = cluster.kubernetes;
  const { backend } = settingsOf(cluster);
  const { config, nodes } = living;
  const faults: string[] = [];
  if (config !== undefined && config.network !== podSubnet)
    faults.push(`its network is ${config.network}, not ${podSubnet}`);
  if (config !== undefined && canonicalJson(config.backend ?? null) !== canonicalJson(backend)) {
    faults.push(`its backend is ${canonicalJson(config.backend ?? null)}, not ${canonicalJson(backend)}`);
  }
  const outside = nodes.filter(({ podCidr }) => podCidr !== '' && !isWithin(podCidr, podSubnet));
  if (outside.length > 0) {
    const first = outside.slice(0, 3).map(({ name, podCidr }) => `${name} ${podCidr}`);
    faults.push(`nodes have networks outside of ${podSubnet} (${first.join(', ')}${outside.length > 3 ? ', …' : ''})`);
  }
  const others = nodes.filter((node) => config === undefined && node.backend !== '' && node.backend !== backend.Type);
  if (others.length > 0) faults.push(`flannel runs with backend ${others[0]?.backend} on ${others[0]?.name}`);
  if (faults.length === 0) return undefined;
  return new KubewrightError('KW363', `the cluster lives with another pod network: ${faults.join('; ')}`, {
    hint: 'Nothing was changed. Write into cluster.yaml (kubernetes.podSubnet, network.backend) what the cluster has: a living pod network is not changed by install.',
  });
}

function isWithin(inner: string, outer: string): boolean {
  try {
    const [address, prefix] = ipaddr.IPv4.parseCIDR(inner);
    const network = ipaddr.IPv4.parseCIDR(outer);
    return prefix >= network[1] && address.match(network);
  } catch {
    return false;
  }
}

/**
 * Whose bundle's manifest is taken: that of the first control plane of the file that is a node. Which of them answered must
 * not matter, for two bundles of different making may hold two manifests.
 */
export function architectureOfNetwork(cluster: Cluster, { nodes, machine }: LivingNetwork): string {
  const architectures = new Map(nodes.map(({ name, architecture }) => [name, architecture]));
  const first = hostsOf(cluster, 'control-plane')
    .map(({ name }) => architectures.get(name))
    .find(Boolean);
  return first ?? (machine === 'aarch64' ? 'arm64' : 'amd64');
}
