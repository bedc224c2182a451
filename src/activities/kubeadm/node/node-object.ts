import { canonicalJson } from '../../../cluster/hash.js';
import type { ClusterHost, Taint } from '../../../cluster/types.js';
import { messageOf } from '../../../errors.js';
import { quote } from '../../../hosts/shell.js';
import { type Answer, refine, unknown, yes } from '../../answers.js';
import { type Facts, SAYS_NO } from '../../remote-facts.js';

export const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

/** On a node: what the last install set there of the file's labels and taints, so that what is taken out can be removed. */
export const APPLIED_METADATA = 'kubewright.dev/applied-metadata';

/** Labels and taints that cluster.yaml gave a node. */
export interface NodeMetadata {
  labels: Record<string, string>;
  taints: Taint[];
  /** It has taken kubeadm's own taint off a control plane: where it says nothing any more, that taint comes back. */
  withoutOwnTaint?: true;
}

/** From the annotation. One that is not there, or of another making, remembers nothing: then nothing is taken away. */
export function parseMetadata(text: string): NodeMetadata {
  try {
    const { labels, taints, withoutOwnTaint } = JSON.parse(text) as Partial<NodeMetadata>;
    return { labels: labels ?? {}, taints: taints ?? [], ...(withoutOwnTaint === true ? { withoutOwnTaint } : {}) };
  } catch {
    return { labels: {}, taints: [] };
  }
}

/** A node as the API has it, as far as a step needs to know. */
export interface NodeObject {
  /** Changes when a node of the same name is made anew. */
  uid: string;
  labels: Record<string, string>;
  taints: Taint[];
  /** What the last install set there. */
  set: NodeMetadata;
  internalAddresses: string[];
  ready: boolean;
  kubeletVersion: string;
}

/** First and last line: what lacks one of them was cut short, or is something else. */
const FIRST = 'node';
const LAST = 'end of node';

/** One line a field, so that it stays small: a whole Node is many kilobytes. */
const TEMPLATE = [
  FIRST,
  '{.metadata.uid}',
  '{.metadata.labels}',
  '{.spec.taints}',
  '{.status.addresses[?(@.type=="InternalIP")].address}',
  '{.status.conditions[?(@.type=="Ready")].status}',
  '{.status.nodeInfo.kubeletVersion}',
  `{.metadata.annotations.${APPLIED_METADATA.replaceAll('.', '\\.')}}`,
  LAST,
].join('{"\\n"}');

/**
 * Bash function `node_object`, to be put by `ask`: prints the host's node. No is only what the API server itself says, by
 * name; everything else that goes wrong is no answer.
 *
 * @param kubectl shell words, against a certain API server
 */
export function nodeQuestion(kubectl: string, { name }: Pick<ClusterHost, 'name'>): string {
  const absent = `Error from server (NotFound): nodes "${name}" not found`;
  return `node_object() {
  local kw_said
  kw_said=$(${kubectl} get node ${quote(name)} -o ${quote(`jsonpath=${TEMPLATE}`)} 2>&1) && { echo "$kw_said"; return; }
  printf '%s\\n' "$kw_said" >&2
  [[ $kw_said != *${quote(absent)}* ]] || return ${SAYS_NO}
  return 1
}
`;
}

/** What `ask node node_object` came to. */
export function nodeIn(facts: Facts, { name }: Pick<ClusterHost, 'name'>): Answer<NodeObject> {
  return refine(facts.answer('node', `the API has no node ${name}`), parseNode);
}

/** Reads what `node_object` printed; warnings of kubectl may stand before it. */
export function parseNode(text: string): Answer<NodeObject> {
  const lines = text.split('\n');
  const [first, uid = '', labels = '', taints = '', addresses = '', ready = '', kubeletVersion = '', set = '', last] =
    lines.slice(-9);
  try {
    if (first !== FIRST || last !== LAST || uid === '') throw new SyntaxError('it is not whole');
    return yes({
      uid,
      labels: labels === '' ? {} : JSON.parse(labels),
      taints: taints === '' ? [] : JSON.parse(taints),
      internalAddresses: addresses.split(' ').filter(Boolean),
      ready: ready === 'True',
      kubeletVersion,
      set: parseMetadata(set),
    });
  } catch (error) {
    return unknown(`kubectl did not print a node: ${messageOf(error)}`);
  }
}

/** As kubeadm's phase mark-control-plane sets them. */
const CONTROL_PLANE_LABELS = {
  [CONTROL_PLANE_LABEL]: '',
  'node.kubernetes.io/exclude-from-external-load-balancers': '',
};
const CONTROL_PLANE_TAINT: Taint = { key: CONTROL_PLANE_LABEL, value: '', effect: 'NoSchedule' };

/** A node as `kubeadm init` and `kubeadm join` leave it: with its role and its taints, without labels of cluster.yaml. */
export function freshNode(host: ClusterHost): Pick<NodeObject, 'labels' | 'taints' | 'set'> {
  const labels = host.role === 'control-plane' ? CONTROL_PLANE_LABELS : {};
  return { labels, taints: host.taints ?? [], set: { labels: {}, taints: [] } };
}

/** As the API itself tells of a node. */
export function parseNodeJson(json: string): Answer<NodeObject> {
  try {
    const { kind, metadata, spec, status } = JSON.parse(json) as Partial<ApiNode>;
    if (kind !== 'Node' || metadata?.uid === undefined) return unknown('the API did not send a node');
    return yes({
      uid: metadata.uid,
      labels: metadata.labels ?? {},
      taints: spec?.taints ?? [],
      set: parseMetadata(metadata.annotations?.[APPLIED_METADATA] ?? ''),
      internalAddresses: (status?.addresses ?? [])
        .filter(({ type }) => type === 'InternalIP')
        .map(({ address }) => address),
      ready: (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True'),
      kubeletVersion: status?.nodeInfo?.kubeletVersion ?? '',
    });
  } catch {
    return unknown('the API sent something else than JSON');
  }
}

interface ApiNode {
  kind: string;
  metadata: { uid?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: { taints?: Taint[] };
  status: {
    addresses?: { type: string; address: string }[];
    conditions?: { type: string; status: string }[];
    nodeInfo?: { kubeletVersion: string };
  };
}

/**
 * Arguments of kubectl, one command an entry, that give a node its role and the labels and taints of cluster.yaml, and take
 * away what an earlier file gave it and this one does not. What others put there stays, but for kubeadm's own taint of
 * control planes where cluster.yaml has taints without it. The memory is written last: until then all is done again.
 */
export function metadataCommands(host: ClusterHost, node: Pick<NodeObject, 'labels' | 'taints' | 'set'>): string[] {
  const labels = labelChanges(host, node);
  const taints = taintChanges(host, node);
  const memory = memoryChange(host, node.set);
  const name = quote(host.name);
  return [
    ...(labels.length === 0 ? [] : [`label node ${name} --overwrite ${labels.join(' ')}`]),
    ...(taints.length === 0 ? [] : [`taint node ${name} --overwrite ${taints.join(' ')}`]),
    ...(memory === undefined ? [] : [`annotate node ${name} --overwrite ${memory}`]),
  ];
}

function labelChanges(host: ClusterHost, node: Pick<NodeObject, 'labels' | 'set'>): string[] {
  const wanted = { ...(host.role === 'control-plane' ? CONTROL_PLANE_LABELS : {}), ...host.labels };
  const set = Object.entries(wanted)
    .filter(([key, value]) => node.labels[key] !== value)
    .map(([key, value]) => quote(`${key}=${value}`));
  return [...set, ...leftLabels(host, node).map(([key]) => quote(`${key}-`))];
}

/** Labels that an earlier file gave the node and this one does not. One that somebody has changed since is theirs. */
export function leftLabels(host: ClusterHost, node: Pick<NodeObject, 'labels' | 'set'>): [string, string][] {
  return Object.entries(node.set.labels).filter(
    ([key, value]) => !(key in host.labels) && !(key in CONTROL_PLANE_LABELS) && node.labels[key] === value,
  );
}

function taintChanges(host: ClusterHost, node: Pick<NodeObject, 'labels' | 'taints' | 'set'>): string[] {
  const wanted = host.taints ?? defaultTaints(host, node);
  const missing = wanted
    .filter((taint) => !node.taints.some((there) => isSameTaint(there, taint)))
    .map((taint) => quote(taintText(taint)));
  const unwanted = node.taints.filter(
    ({ key }) => host.taints !== null && key === CONTROL_PLANE_LABEL && !wanted.some((taint) => taint.key === key),
  );
  const removed = [...unwanted, ...leftTaints(host, node)].map(({ key, effect }) => quote(`${key}:${effect}-`));
  return [...missing, ...new Set(removed)];
}

/** Taints that an earlier file gave the node and this one does not, as far as they are there as they were set. */
export function leftTaints(host: ClusterHost, node: Pick<NodeObject, 'taints' | 'set'>): Taint[] {
  // Left out, kubeadm's own is meant.
  const wanted = host.taints ?? (host.role === 'control-plane' ? [CONTROL_PLANE_TAINT] : []);
  return node.set.taints.filter(
    (taint) =>
      node.taints.some((there) => isSameTaint(there, taint)) &&
      !wanted.some(({ key, effect }) => key === taint.key && effect === taint.effect),
  );
}

export function isSameTaint(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect && (a.value ?? '') === (b.value ?? '');
}

/** As kubectl writes it: `dedicated=database:NoSchedule`. */
export function taintText({ key, value, effect }: Taint): string {
  return value ? `${key}=${value}:${effect}` : `${key}:${effect}`;
}

/**
 * kubeadm's taint where a join ended before it was set, and where an earlier file had taken it off; once the node has its role,
 * taking it off by hand is the user's right.
 */
function defaultTaints(host: ClusterHost, node: Pick<NodeObject, 'labels' | 'set'>): Taint[] {
  const isUnset = host.role === 'control-plane' && !(CONTROL_PLANE_LABEL in node.labels);
  return isUnset ? [CONTROL_PLANE_TAINT] : returningTaints(host, node);
}

/** kubeadm's own taint of a control plane that an earlier file had taken off, and of which this one says nothing. */
export function returningTaints(host: ClusterHost, { set }: Pick<NodeObject, 'set'>): Taint[] {
  const returns = host.role === 'control-plane' && host.taints === null && set.withoutOwnTaint === true;
  return returns ? [CONTROL_PLANE_TAINT] : [];
}

function takesOwnTaintOff({ role, taints }: ClusterHost): boolean {
  return role === 'control-plane' && taints !== null && !taints.some(({ key }) => key === CONTROL_PLANE_LABEL);
}

/** The annotation as it has to be, where it is not so; a node that was given nothing has none. */
function memoryChange(host: ClusterHost, set: NodeMetadata): string | undefined {
  const withoutOwnTaint = takesOwnTaintOff(host);
  const wanted: NodeMetadata = {
    labels: host.labels,
    taints: host.taints ?? [],
    ...(withoutOwnTaint ? { withoutOwnTaint } : {}),
  };
  if (canonicalJson(wanted) === canonicalJson(set)) return undefined;
  const isEmpty = Object.keys(wanted.labels).length === 0 && wanted.taints.length === 0 && !withoutOwnTaint;
  return isEmpty ? `${APPLIED_METADATA}-` : quote(`${APPLIED_METADATA}=${canonicalJson(wanted)}`);
}
