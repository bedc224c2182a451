import type { ClusterHost, Taint } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';

export const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

/** What `kubectl get node -o jsonpath=NODE_TEMPLATE` prints, parsed. */
export interface NodeObject {
  labels: Record<string, string>;
  taints: Taint[];
  internalAddresses: string[];
  ready: boolean;
  kubeletVersion: string;
}

/** One line a field, so that it stays small: a whole Node is many kilobytes. */
export const NODE_TEMPLATE = [
  '{.metadata.labels}',
  '{.spec.taints}',
  '{.status.addresses[?(@.type=="InternalIP")].address}',
  '{.status.conditions[?(@.type=="Ready")].status}',
  '{.status.nodeInfo.kubeletVersion}',
].join('{"\\n"}');

/** Undefined when there is no such node. */
export function parseNode(text: string): NodeObject | undefined {
  const [labels = '', taints = '', addresses = '', ready = '', kubeletVersion = ''] = text.split('\n');
  if (kubeletVersion === '') return undefined;
  return {
    labels: labels === '' ? {} : JSON.parse(labels),
    taints: taints === '' ? [] : JSON.parse(taints),
    internalAddresses: addresses.split(' ').filter(Boolean),
    ready: ready === 'True',
    kubeletVersion,
  };
}

/** As kubeadm's phase mark-control-plane sets them. */
const CONTROL_PLANE_LABELS = {
  [CONTROL_PLANE_LABEL]: '',
  'node.kubernetes.io/exclude-from-external-load-balancers': '',
};
const CONTROL_PLANE_TAINT: Taint = { key: CONTROL_PLANE_LABEL, value: '', effect: 'NoSchedule' };

/** A node as `kubeadm init` and `kubeadm join` leave it: with its role and its taints, without labels of cluster.yaml. */
export function freshNode(host: ClusterHost): Pick<NodeObject, 'labels' | 'taints'> {
  return { labels: host.role === 'control-plane' ? CONTROL_PLANE_LABELS : {}, taints: host.taints ?? [] };
}

/** As the API itself tells of a node; undefined when the text is no node. */
export function parseNodeJson(json: string): NodeObject | undefined {
  if (json === '') return undefined;
  const { kind, metadata, spec, status } = JSON.parse(json) as Partial<ApiNode>;
  if (kind !== 'Node') return undefined;
  return {
    labels: metadata?.labels ?? {},
    taints: spec?.taints ?? [],
    internalAddresses: (status?.addresses ?? [])
      .filter(({ type }) => type === 'InternalIP')
      .map(({ address }) => address),
    ready: (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    kubeletVersion: status?.nodeInfo?.kubeletVersion ?? '',
  };
}

interface ApiNode {
  kind: string;
  metadata: { labels?: Record<string, string> };
  spec: { taints?: Taint[] };
  status: {
    addresses?: { type: string; address: string }[];
    conditions?: { type: string; status: string }[];
    nodeInfo?: { kubeletVersion: string };
  };
}

/**
 * Arguments of kubectl, one command an entry, that give a node its role and the labels and taints of cluster.yaml. What
 * others put there stays, but for kubeadm's own taint of control planes where cluster.yaml has taints without it.
 */
export function metadataCommands(host: ClusterHost, node: Pick<NodeObject, 'labels' | 'taints'>): string[] {
  const role = host.role === 'control-plane' ? CONTROL_PLANE_LABELS : {};
  const labels = Object.entries({ ...role, ...host.labels })
    .filter(([key, value]) => node.labels[key] !== value)
    .map(([key, value]) => quote(`${key}=${value}`));
  const taints = taintChanges(host, node);
  const name = quote(host.name);
  return [
    ...(labels.length === 0 ? [] : [`label node ${name} --overwrite ${labels.join(' ')}`]),
    ...(taints.length === 0 ? [] : [`taint node ${name} --overwrite ${taints.join(' ')}`]),
  ];
}

function taintChanges(host: ClusterHost, node: Pick<NodeObject, 'labels' | 'taints'>): string[] {
  const wanted = host.taints ?? defaultTaints(host, node);
  const same = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect && (a.value ?? '') === (b.value ?? '');
  const missing = wanted
    .filter((taint) => !node.taints.some((there) => same(there, taint)))
    .map(({ key, value, effect }) => quote(value ? `${key}=${value}:${effect}` : `${key}:${effect}`));
  const unwanted = node.taints
    .filter(
      ({ key }) => host.taints !== null && key === CONTROL_PLANE_LABEL && !wanted.some((taint) => taint.key === key),
    )
    .map(({ key, effect }) => quote(`${key}:${effect}-`));
  return [...missing, ...unwanted];
}

/** kubeadm's taint where a join ended before it was set; once the node has its role, taking it off is the user's right. */
function defaultTaints(host: ClusterHost, node: Pick<NodeObject, 'labels'>): Taint[] {
  return host.role === 'control-plane' && !(CONTROL_PLANE_LABEL in node.labels) ? [CONTROL_PLANE_TAINT] : [];
}
