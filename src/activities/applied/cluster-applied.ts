import type { Taint } from '../../cluster/types.js';
import { ALL_POD_NETWORK_WORK } from '../../components/registry/work.js';
import type { PodNetworkWork } from '../../components/work-types.js';
import { quote } from '../../hosts/shell.js';
import { type Answer, no, refine, unknown, yes } from '../answers.js';
import type { ReadyControlPlane } from '../kubeadm/control-plane.js';
import { APPLIED_METADATA, CONTROL_PLANE_LABEL, parseMetadata } from '../kubeadm/node/node-object.js';
import { type Facts, gatherFacts } from '../remote-facts.js';
import { parseConfig, settingsOf } from './parse.js';
import type { Applied, AppliedNode } from './types.js';

/** A node a line, a tab between its fields; labels and taints as JSON. */
const NODE_FIELDS = [
  '{.metadata.name}',
  '{.status.addresses[?(@.type=="InternalIP")].address}',
  '{.status.nodeInfo.kubeletVersion}',
  '{.metadata.labels}',
  '{.spec.taints}',
  `{.metadata.annotations.${APPLIED_METADATA.replaceAll('.', '\\.')}}`,
].join('{"\\t"}');

type FromApi = Pick<Applied, 'config' | 'kubelet' | 'kubeProxy' | 'network' | 'plugins' | 'nodes'>;

/**
 * Asks a cluster through one of its control planes. What the API does not have is undefined; what it did not answer, or
 * what cannot be understood, makes the whole unknown: a comparison with half an answer would call the rest unchanged.
 */
export async function readCluster(
  via: ReadyControlPlane,
  network: PodNetworkWork,
  signal: AbortSignal,
): Promise<Answer<FromApi>> {
  const get = (namespace: string, name: string, path: string): string =>
    `${via.kubectl} -n ${namespace} get configmap ${name} --ignore-not-found -o ${quote(`jsonpath={.data.${path}}`)}`;
  const nodes = quote(`jsonpath={range .items[*]}${NODE_FIELDS}{"\\n"}{end}`);
  const facts = await gatherFacts(
    via.remote,
    `ask kubeadm-config ${get('kube-system', 'kubeadm-config', 'ClusterConfiguration')} &
ask kubelet-config ${get('kube-system', 'kubelet-config', 'kubelet')} &
ask kube-proxy ${get('kube-system', 'kube-proxy', 'config\\.conf')} &
ask network ${network.question(via.kubectl)} &
${ALL_POD_NETWORK_WORK.map(([plugin, { trace }]) => `ask plugin-${plugin} ${trace(via.kubectl)} &`).join('\n')}
ask nodes ${via.kubectl} get nodes -o ${nodes} &
wait`,
    signal,
  );
  return parseCluster(facts, network);
}

/** What the facts of `readCluster` say. */
export function parseCluster(facts: Facts, podNetwork: Pick<PodNetworkWork, 'read'>): Answer<FromApi> {
  const config = part(facts, 'kubeadm-config', parseConfig);
  const kubelet = part(facts, 'kubelet-config', settingsOf);
  const kubeProxy = part(facts, 'kube-proxy', settingsOf);
  const network = part(facts, 'network', podNetwork.read);
  const nodes = part(facts, 'nodes', parseNodes);
  const traces = ALL_POD_NETWORK_WORK.map(([plugin]) => part(facts, `plugin-${plugin}`, () => plugin));
  for (const answer of [config, kubelet, kubeProxy, network, nodes, ...traces])
    if (answer.is === 'unknown') return answer;
  return yes({
    config: given(config),
    kubelet: given(kubelet),
    kubeProxy: given(kubeProxy),
    network: given(network),
    plugins: traces.flatMap((trace) => given(trace) ?? []),
    nodes: given(nodes) ?? [],
  });
}

function part<T>(facts: Facts, name: string, parse: (text: string) => T | undefined): Answer<T> {
  return refine(facts.answer(name, `there is no ${name}`), (text) => {
    if (text === '') return no(`there is no ${name}`);
    const parsed = parse(text);
    return parsed === undefined ? unknown(`what the API has as ${name} cannot be read`) : yes(parsed);
  });
}

function given<T>(answer: Answer<T>): T | undefined {
  return answer.is === 'yes' ? answer.value : undefined;
}

function parseNodes(text: string): AppliedNode[] | undefined {
  try {
    return text.split('\n').map(parseNode);
  } catch {
    return undefined;
  }
}

function parseNode(line: string): AppliedNode {
  const [name, address, kubeletVersion, labels, taints, set] = line.split('\t');
  if (!name || kubeletVersion === undefined) throw new Error('no node');
  const parsed: Record<string, string> = labels ? JSON.parse(labels) : {};
  return {
    name,
    address: address ?? '',
    kubeletVersion: kubeletVersion.replace(/^v/, ''),
    controlPlane: CONTROL_PLANE_LABEL in parsed,
    labels: parsed,
    taints: taints ? (JSON.parse(taints) as Taint[]) : [],
    set: parseMetadata(set ?? ''),
  };
}
