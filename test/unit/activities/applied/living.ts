import { execFileSync } from 'node:child_process';
import { isIP } from 'node:net';
import { parseAllDocuments, stringify } from 'yaml';
import { CONTROL_PLANE_COMPONENTS } from '../../../../src/activities/kubeadm/node/static-pods.js';
import { ownerOf } from '../../../../src/activities/prepare/ownership.js';
import { digestOf } from '../../../../src/activities/remote-facts.js';
import { canonicalJson } from '../../../../src/cluster/hash.js';
import { isNode } from '../../../../src/cluster/roles.js';
import { type Cluster, type ClusterHost, hostsOf } from '../../../../src/cluster/types.js';
import { renderEtcdMember } from '../../../../src/components/etcd/external/render/member.js';
import { renderEtcdKubeletConfig } from '../../../../src/components/etcd/static-pods/render/kubelet.js';
import { settingsOf as settingsOfFlannel } from '../../../../src/components/network/flannel/settings.js';
import { holdsMember, kubeadmMakesMember } from '../../../../src/components/registry/plan.js';
import { renderInitConfig } from '../../../../src/render/kubeadm.js';
import { KUBELET_PATCH_NAME } from '../../../../src/render/kubelet-config.js';
import { renderOwner } from '../../../../src/render/owner.js';
import { type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';

type Settings = Record<string, unknown>;

/**
 * The hosts of a cluster that was installed from this file, each answering as it would: kubeadm has put what was rendered
 * into the cluster, with its own defaults beside it and in its own way of writing.
 */
export function livingHosts(cluster: Cluster): Map<string, FakeHost> {
  const hosts = fakeHosts(cluster);
  const first = hostsOf(cluster, 'control-plane')[0] as ClusterHost;
  const begun = renderInitConfig(cluster, first);
  for (const host of cluster.hosts) hostFacts(cluster, host, hostIn(hosts, host.name));
  hostIn(hosts, first.name).fact('begun', begun).fact('begun-at', '1764000000');
  for (const { name } of hostsOf(cluster, 'control-plane')) clusterFacts(cluster, begun, hostIn(hosts, name));
  return hosts;
}

/** What the API has; the same through every control plane. */
function clusterFacts(cluster: Cluster, begun: string, host: FakeHost): void {
  const document = (kind: string): Settings => {
    const found = parseAllDocuments(begun).map((one) => one.toJS() as Settings);
    return found.find((one) => one.kind === kind) ?? {};
  };
  if (cluster.network.plugin === 'calico') {
    const env = { CALICO_IPV4POOL_CIDR: cluster.kubernetes.podSubnet, CALICO_IPV4POOL_VXLAN: 'Always' };
    host.fact('network', JSON.stringify(Object.entries(env).map(([name, value]) => ({ name, value }))));
  }
  if (cluster.network.plugin === 'flannel') {
    const { backend } = settingsOfFlannel(cluster);
    const network = { Network: cluster.kubernetes.podSubnet, EnableNFTables: false, Backend: backend };
    host.fact('network', JSON.stringify(network)).fact('plugin-flannel', 'a'.repeat(64));
  }
  if (cluster.network.plugin === 'cilium') {
    const { encapsulation } = cluster.network;
    const [mode, tunnel] = encapsulation === 'none' ? ['native', ''] : ['tunnel', encapsulation];
    host.fact('network', [cluster.kubernetes.podSubnet, mode, tunnel].join('\n'));
  }
  const kubeProxy = { ...KUBE_PROXY_DEFAULTS, ...asWritten(document('KubeProxyConfiguration')) };
  host
    .fact('kubeadm-config', stringify({ ...CONFIG_DEFAULTS, ...document('ClusterConfiguration') }))
    .fact('kubelet-config', stringify({ ...KUBELET_DEFAULTS, ...asWritten(document('KubeletConfiguration')) }))
    .fact('kube-proxy', cluster.kubernetes.kubeProxy.mode === 'none' ? '' : stringify(kubeProxy))
    .fact(
      'nodes',
      nodesOf(cluster)
        .map((host) => nodeLine(host, cluster.kubernetes.version))
        .join('\n'),
    );
}

const CONFIG_DEFAULTS = {
  certificatesDir: '/etc/kubernetes/pki',
  dns: {},
  proxy: {},
  imageRepository: 'registry.k8s.io',
};
const LOGGING = { flushFrequency: 0, options: { json: { infoBufferSize: '0' } }, verbosity: 0 };
const KUBELET_DEFAULTS = {
  authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '0s' } },
  clusterDNS: ['10.96.0.10'],
  rotateCertificates: true,
  shutdownGracePeriod: '0s',
  logging: LOGGING,
};
const KUBE_PROXY_DEFAULTS = {
  bindAddress: '0.0.0.0',
  bindAddressHardFail: false,
  clientConnection: { kubeconfig: '/var/lib/kube-proxy/kubeconfig.conf', burst: 0, qps: 0 },
  conntrack: { maxPerCore: null, tcpBeLiberal: false },
  mode: '',
  logging: LOGGING,
};

/** Kubernetes writes a minute as `1m0s`, and leaves out what is empty. */
function asWritten(value: unknown): Settings {
  const write = (one: unknown): unknown => {
    if (one === '60s') return '1m0s';
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, write(inner)]));
  };
  return write(value) as Settings;
}

export function nodesOf(cluster: Cluster): ClusterHost[] {
  return cluster.hosts.filter(({ role }) => isNode(role));
}

const ROLE = 'node-role.kubernetes.io/control-plane';

export function nodeLine(host: ClusterHost, version = '1.34.3'): string {
  const labels = {
    'kubernetes.io/hostname': host.name,
    ...(host.role === 'control-plane' ? { [ROLE]: '' } : {}),
    ...host.labels,
  };
  const own = host.role === 'control-plane' ? [{ key: ROLE, effect: 'NoSchedule' }] : [];
  const taints = host.taints ?? own;
  const isOpen = host.role === 'control-plane' && host.taints !== null && !host.taints.some(({ key }) => key === ROLE);
  const set = { labels: host.labels, taints: host.taints ?? [], ...(isOpen ? { withoutOwnTaint: true } : {}) };
  const given = Object.keys(set.labels).length > 0 || set.taints.length > 0 || isOpen;
  return [
    host.name,
    host.address,
    `v${version}`,
    JSON.stringify(labels),
    taints.length > 0 ? JSON.stringify(taints) : '',
    given ? canonicalJson(set) : '',
  ].join('\t');
}

function hostFacts(cluster: Cluster, host: ClusterHost, fake: FakeHost): void {
  const { kubernetes, etcd } = cluster;
  const own = digestOf('');
  const patches = kubernetes.patches.map(({ name, content }) => `${digestOf(content)} ${name}`);
  // A director never learns of the cluster's CA, and has nothing of Kubernetes.
  if (host.role === 'director') {
    fake.fact('owner', renderOwner(ownerOf(cluster, host)));
    return;
  }
  fake
    .fact('owner', renderOwner(ownerOf(cluster, host, 'sha256:abc')))
    .fact('kubelet', `Kubernetes v${kubernetes.version}`)
    .fact('patches', [`${own} ${KUBELET_PATCH_NAME}`, ...patches].join('\n'));
  if (etcd.runner === 'systemd' && holdsMember(cluster, host.role)) {
    fake.fact('etcd', renderEtcdMember(cluster, host, { members: [host], state: 'new' })).fact('etcd-unit', '');
    if (host.role === 'etcd') return;
  }
  if (host.role === 'etcd') {
    const facts = { resolvConf: '/etc/resolv.conf', imagesPinned: true };
    fake
      .fact('etcd', renderEtcdMember(cluster, host, { members: [host], state: 'new' }))
      .fact('config', renderEtcdKubeletConfig(cluster, facts))
      .fact('manifest:etcd', manifest(['etcd', '--name=x']));
    return;
  }
  const flags = ['node-ip', ...kubernetes.kubelet.extraArgs.map(({ name }) => name)].map((name, index) =>
    index === 0 ? `--node-ip=${host.address}` : `--${name}=${kubernetes.kubelet.extraArgs[index - 1]?.value}`,
  );
  fake
    .fact('flags', `KUBELET_KUBEADM_ARGS=${JSON.stringify(flags.join(' '))}`)
    .fact('config', stringify({ ...KUBELET_DEFAULTS, ...asWritten(kubernetes.kubelet.config) }));
  if (host.role !== 'control-plane') return;
  const sections = [kubernetes.apiServer, kubernetes.controllerManager, kubernetes.scheduler];
  for (const [index, name] of CONTROL_PLANE_COMPONENTS.entries()) {
    const args = sections[index]?.extraArgs ?? [];
    fake.fact(
      `manifest:${name}`,
      manifest([name, '--bind-address=x', ...args.map((arg) => `--${arg.name}=${arg.value}`)]),
    );
  }
  fake.fact('certificate', certificateFor(kubernetes.certificateSANs));
  if (kubeadmMakesMember(cluster, 'control-plane')) {
    fake.fact('manifest:etcd', manifest(['etcd', ...etcd.extraArgs.map((arg) => `--${arg.name}=${arg.value}`)]));
  }
  fake.fact('initialised', '').fact('ready', 'ok');
}

const certificates = new Map<string, string>();

/** A certificate that is good for these names. */
function certificateFor(names: string[]): string {
  const sans = ['kubernetes', ...names].map((name) => `${isIP(name) ? 'IP' : 'DNS'}:${name}`).join();
  const made = certificates.get(sans) ?? makeCertificate(sans);
  certificates.set(sans, made);
  return made;
}

function makeCertificate(sans: string): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null'];
  const names = ['-subj', '/CN=kube-apiserver', '-addext', `subjectAltName=${sans}`];
  return execFileSync('openssl', ['req', '-x509', ...key, ...names], { encoding: 'utf8', stdio: 'pipe' });
}

function manifest(command: string[]): string {
  return stringify({ spec: { containers: [{ command }] } });
}
