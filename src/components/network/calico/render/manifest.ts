import { type Document, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Cluster } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { type ManifestObject, parseManifest } from '../../objects/objects.js';
import { type Encapsulation, settingsOf } from '../settings.js';

/** Calico publishes one manifest with BGP and one without; files in a bundle. */
export function manifestFile({ network }: Pick<Cluster, 'network'>): string {
  return FORMS[settingsOf({ network }).encapsulation].file;
}

interface Form {
  file: string;
  /** `calico_backend` of the manifest: with `bird`, nodes speak BGP. */
  backend: string;
  pool: { ipip: string; vxlan: string };
}

const WITH_BGP = { file: 'manifests/calico.yaml', backend: 'bird' };

const FORMS: Readonly<Record<Encapsulation, Form>> = {
  vxlan: { file: 'manifests/calico-vxlan.yaml', backend: 'vxlan', pool: { ipip: 'Never', vxlan: 'Always' } },
  ipip: { ...WITH_BGP, pool: { ipip: 'Always', vxlan: 'Never' } },
  none: { ...WITH_BGP, pool: { ipip: 'Never', vxlan: 'Never' } },
};

/**
 * Calico's own manifest with the cluster's pod network as its pool, its MTU, and each node's address as Kubernetes has it:
 * by itself Calico takes the first address that it finds, which may be the virtual IP. All other objects stay as they are, to the
 * byte.
 *
 * @throws KubewrightError KW489 when the manifest is not of the form that Calico has had since 3.30
 */
export function renderCalico(manifest: string, cluster: Cluster): ManifestObject[] {
  const { encapsulation, mtu } = settingsOf(cluster);
  const { file, backend, pool } = FORMS[encapsulation];
  const { objects } = parseManifest({ from: file, content: manifest });
  const changes: [kind: string, name: string, change: (document: Document) => void][] = [
    [
      'ConfigMap',
      'calico-config',
      (config) => {
        const found = config.getIn(['data', 'calico_backend']);
        if (found !== backend) throw otherForm(`calico_backend is ${found}, not ${backend}`);
        if (!config.hasIn(['data', 'veth_mtu'])) throw otherForm('calico-config has no veth_mtu');
        config.setIn(['data', 'veth_mtu'], String(mtu));
      },
    ],
    [
      'DaemonSet',
      'calico-node',
      (node) =>
        setEnvironment(node, {
          CALICO_IPV4POOL_CIDR: cluster.kubernetes.podSubnet,
          CALICO_IPV4POOL_IPIP: pool.ipip,
          CALICO_IPV4POOL_VXLAN: pool.vxlan,
          IP_AUTODETECTION_METHOD: 'kubernetes-internal-ip',
        }),
    ],
  ];
  for (const [kind, name] of changes) {
    if (!objects.some((each) => each.kind === kind && each.name === name)) throw otherForm(`it has no ${kind} ${name}`);
  }
  return objects.map((object) => {
    const [, , change] = changes.find(([kind, name]) => object.kind === kind && object.name === name) ?? [];
    return change === undefined ? object : changed(object, change);
  });
}

function changed(object: ManifestObject, change: (document: Document) => void): ManifestObject {
  const document = parseDocument(object.text);
  change(document);
  const text = document.toString({ lineWidth: 0, directives: false });
  return { ...object, text, value: document.toJS() as Record<string, unknown> };
}

/** Sets variables of the container calico-node, whether they are there or not. */
function setEnvironment(daemonSet: Document, variables: Record<string, string>): void {
  const containers = daemonSet.getIn(['spec', 'template', 'spec', 'containers']);
  const container = isSeq(containers)
    ? containers.items.find((each) => isMap(each) && each.get('name') === 'calico-node')
    : undefined;
  const env = isMap(container) ? container.get('env', true) : undefined;
  if (!isSeq(env)) throw otherForm('the container calico-node has no env');
  for (const [name, value] of Object.entries(variables)) {
    const there = env.items.find((each) => isMap(each) && each.get('name') === name);
    if (!isMap(there)) {
      env.add(daemonSet.createNode({ name, value }));
      continue;
    }
    const written = there.get('value', true);
    if (!isScalar(written)) throw otherForm(`${name} is no plain value`);
    there.set('value', value);
  }
}

function otherForm(what: string): KubewrightError {
  return new KubewrightError('KW489', `Calico's manifest in the bundle has another form than expected: ${what}`, {
    hint: 'Make the bundle again with this version of Kubewright, which pins Calico, or report the new form.',
  });
}
