import { createHash } from 'node:crypto';
import { type Document, isMap, isSeq, parseAllDocuments } from 'yaml';
import type { Cluster } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { settingsOf } from '../settings.js';

/** Where it lies in bundles, and by which other sources know it. */
export const MANIFEST = 'manifests/kube-flannel.yml';
/** On flannel's DaemonSet: SHA-256 of the manifest that was applied. */
export const CONTENT_HASH_ANNOTATION = 'kubewright.dev/content-hash';
export const FLANNEL_NAMESPACE = 'kube-flannel';
export const FLANNEL_DAEMONSET = 'kube-flannel-ds';
export const FLANNEL_CONFIG_MAP = 'kube-flannel-cfg';

const CONTAINER = ['spec', 'template', 'spec', 'containers', 0];

export interface FlannelManifest {
  content: string;
  /** SHA-256 in hexadecimal of everything but the annotation that carries it. */
  hash: string;
  /** All that it consists of. */
  objects: { kind: string; name: string }[];
}

/**
 * Flannel's own manifest with the cluster's pod network and backend, and with each node's address from cluster.yaml:
 * flannel would look at the default route's card, which may carry the VIP. `status.hostIP` is the kubelet's --node-ip.
 *
 * @throws KubewrightError KW460 when the manifest is not of the form that flannel has had since 0.20
 */
export function renderFlannel(manifest: string, cluster: Cluster): FlannelManifest {
  const documents = parseAllDocuments(manifest).filter((document) => document.contents !== null);
  const config = find(documents, 'ConfigMap', FLANNEL_CONFIG_MAP);
  const daemonSet = find(documents, 'DaemonSet', FLANNEL_DAEMONSET);

  const network = JSON.parse(text(config, ['data', 'net-conf.json'])) as Record<string, unknown>;
  network.Network = cluster.kubernetes.podSubnet;
  network.Backend = settingsOf(cluster).backend;
  config.setIn(['data', 'net-conf.json'], `${JSON.stringify(network, null, 2)}\n`);

  append(daemonSet, [...CONTAINER, 'args'], '--iface=$(NODE_IP)');
  append(daemonSet, [...CONTAINER, 'env'], {
    name: 'NODE_IP',
    valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } },
  });
  // A node without its network is of no use, whatever it is tainted with.
  daemonSet.setIn(['spec', 'template', 'spec', 'tolerations'], daemonSet.createNode([{ operator: 'Exists' }]));

  const hash = createHash('sha256').update(join(documents)).digest('hex');
  daemonSet.setIn(['metadata', 'annotations', CONTENT_HASH_ANNOTATION], hash);
  const objects = documents.map((document) => ({
    kind: String(document.get('kind')),
    name: String(document.getIn(['metadata', 'name'])),
  }));
  return { content: join(documents), hash, objects };
}

function join(documents: Document[]): string {
  return documents.map((document) => document.toString({ lineWidth: 0, directives: false })).join('---\n');
}

function find(documents: Document[], kind: string, name: string): Document {
  const found = documents.find(
    (document) => document.get('kind') === kind && document.getIn(['metadata', 'name']) === name,
  );
  if (found === undefined) throw unknownForm(`it has no ${kind} ${name}`);
  return found;
}

function text(document: Document, path: (string | number)[]): string {
  const value = document.getIn(path);
  if (typeof value !== 'string') throw unknownForm(`${path.join('.')} is not there`);
  return value;
}

function append(document: Document, path: (string | number)[], value: unknown): void {
  const list = document.getIn(path);
  if (!isSeq(list)) throw unknownForm(`${path.join('.')} is not a list`);
  const node = document.createNode(value);
  if (isMap(node)) node.flow = false;
  list.add(node);
}

function unknownForm(what: string): KubewrightError {
  return new KubewrightError('KW460', `flannel's manifest has another form than expected: ${what}`, {
    hint: 'Make the bundle again with this version of Kubewright, which pins flannel, or report the new form.',
  });
}
