import type { Check } from '../../../cluster/checks/index.js';
import { type Path, valueAt } from '../../../cluster/path.js';
import type { Report } from '../../../cluster/report.js';
import type { Sketch } from '../../../cluster/resolve/draft.js';
import { isMap, keyOf, type ManifestObject, parseManifest, shownObject } from '../objects/objects.js';
import { podCidrsOf } from './pod-cidrs.js';
import type { NetworkManifest } from './settings.js';

const MANIFESTS: Path = ['spec', 'network', 'manifests'];

/** Namespaces that every cluster has. */
const EVERYWHERE = new Set(['', 'default', 'kube-system', 'kube-public', 'kube-node-lease']);

/** Groups whose documents look like objects and that no API server has: they are files of programs. */
const NO_OBJECTS =
  /^(kubeadm\.k8s\.io|kubelet\.config\.k8s\.io|kubeproxy\.config\.k8s\.io|kustomize\.config\.k8s\.io|kubewright\.dev)\//;

/** Kinds that run something: a network without any of them does nothing on a node. */
const RUNNING = new Set(['DaemonSet', 'Deployment', 'Pod', 'StatefulSet']);

/** All rules for the manifests of a pod network, before anything is changed anywhere. */
export const checkManifests: Check = ({ network, kubernetes }, report) => {
  const manifests = ('manifests' in network ? network.manifests : []).filter(isWhole);
  const written = valueAt(report.document.value, MANIFESTS) ?? [];
  if (Array.isArray(written) && written.length === 0) {
    report.error(['spec', 'network'], 'no-manifests', {
      message: 'plugin manifest applies what "manifests" lists, and there is none',
      expected: 'manifests: with files or https addresses',
      found: '',
      at: 'key',
    });
    return;
  }
  const parsed = manifests.map(parseManifest);
  report.problems.push(...parsed.flatMap(({ problems }) => problems));
  const objects = parsed.flatMap((each) => each.objects);
  for (const object of objects) checkObject(object, objects, report);
  checkTwice(objects, report);
  checkCidrs(objects, kubernetes.podSubnet, report);
  if (objects.length > 0 && !objects.some(({ kind }) => RUNNING.has(kind))) {
    report.warn(MANIFESTS, 'nothing-runs', {
      message: 'none of these objects runs anything (a DaemonSet, a Deployment), so no node gets a network from them',
      expected: "all manifests of the network's release",
      found: '',
    });
  }
};

/** Namespaces in which a manifest runs something. */
export function namespacesOf(manifest: Sketch<NetworkManifest>): string[] {
  if (!isWhole(manifest)) return [];
  const running = parseManifest(manifest).objects.filter(({ kind }) => RUNNING.has(kind));
  return running.map(({ namespace }) => namespace || 'default');
}

function isWhole(manifest: Sketch<NetworkManifest>): manifest is NetworkManifest {
  return manifest.content !== undefined;
}

function complain(
  report: Report,
  { from, line }: ManifestObject,
  code: string,
  message: string,
  expected: string,
): void {
  const place = { file: from, line, column: 1, path: '', found: '' };
  report.problems.push({ severity: 'error', code, ...place, message, expected });
}

function checkObject(object: ManifestObject, all: readonly ManifestObject[], report: Report): void {
  const { apiVersion, kind, namespace, value } = object;
  if (NO_OBJECTS.test(apiVersion)) {
    complain(
      report,
      object,
      'manifest-kind',
      `${kind} of ${apiVersion} is a file of a program, no object of a cluster`,
      'objects that kubectl can apply',
    );
  }
  if (kind === 'Secret' && [value.data, value.stringData].some((data) => isMap(data) && Object.keys(data).length > 0)) {
    complain(
      report,
      object,
      'manifest-secret',
      `${shownObject(object)} holds a secret, and what travels with a plan is kept in Temporal's history`,
      'a manifest without it; create the Secret in the cluster yourself',
    );
  }
  if (!EVERYWHERE.has(namespace) && !all.some(({ kind: other, name }) => other === 'Namespace' && name === namespace)) {
    complain(
      report,
      object,
      'manifest-namespace',
      `${shownObject(object)} is in the namespace ${namespace}, which a new cluster does not have`,
      `a Namespace ${namespace} among the manifests`,
    );
  }
}

function checkTwice(objects: readonly ManifestObject[], report: Report): void {
  const first = new Map<string, ManifestObject>();
  for (const object of objects) {
    const before = first.get(keyOf(object));
    if (before === undefined) {
      first.set(keyOf(object), object);
      continue;
    }
    const where = `${before.from}:${before.line}`;
    complain(
      report,
      object,
      'manifest-twice',
      `${shownObject(object)} stands in ${where} too: which one counts?`,
      'each object once',
    );
  }
}

function checkCidrs(objects: readonly ManifestObject[], podSubnet: string | undefined, report: Report): void {
  if (podSubnet === undefined) return;
  for (const { object, where, cidr } of podCidrsOf(objects)) {
    if (cidr === podSubnet) continue;
    const message = `${where} of ${shownObject(object)} is ${cidr}, and kubernetes.podSubnet is ${podSubnet}: pods would get addresses that the rest of the cluster takes for others`;
    complain(report, object, 'manifest-pod-cidr', message, `${podSubnet}, or another kubernetes.podSubnet`);
  }
}
