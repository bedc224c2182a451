import { type Cluster, type ExtraArg, type HostPathVolume, hostsOf } from '../../../cluster/types.js';
import { clientUrl } from '../../../components/etcd/members/places.js';
import { apiAddressOf, etcdHosts, etcdOf, loadBalancerOf } from '../../../components/registry/plan.js';
import { CHOSEN } from '../../../components/registry/settings.js';
import { podNetworkWorkOf } from '../../../components/registry/work.js';
import { CONTROL_PLANE_SECTIONS, type ControlPlaneSection, volumesOf } from '../../../render/control-plane-files.js';
import { endpointOf, NODE_MONITOR_GRACE } from '../../../render/kubeadm.js';
import { below, type Found, shown } from '../difference.js';
import type { Applied, AppliedConfig } from '../types.js';
import type { Part } from './index.js';
import { one } from './one.js';
import { recordedHosts } from './record.js';

/** Keys whose values kubeadm keeps in the cluster, and the pod network its own. */
export function compareConfig(cluster: Cluster, applied: Applied): Part {
  const { config } = applied;
  if (config === undefined) {
    const what = 'spec.kubernetes, spec.endpoint and spec.etcd: kubeadm init has not put them into the cluster yet';
    return { found: [], unchecked: [what] };
  }
  const network = compareNetwork(cluster, applied, config.podSubnet);
  return {
    found: [
      ...compareNames(cluster, config),
      ...network.found,
      ...compareSans(cluster, applied, config),
      ...compareArgs(
        'spec.kubernetes.apiServer.extraArgs',
        cluster.kubernetes.apiServer.extraArgs,
        config.extraArgs.apiServer,
      ),
      ...compareArgs(
        'spec.kubernetes.controllerManager.extraArgs',
        cluster.kubernetes.controllerManager.extraArgs,
        withoutOwn(config.extraArgs.controllerManager, cluster.kubernetes.controllerManager.extraArgs),
      ),
      ...compareArgs(
        'spec.kubernetes.scheduler.extraArgs',
        cluster.kubernetes.scheduler.extraArgs,
        config.extraArgs.scheduler,
      ),
      ...CONTROL_PLANE_SECTIONS.flatMap((section) => compareVolumes(cluster, config, section)),
      ...compareCertificates(cluster, config),
      ...compareEtcd(cluster, config, applied),
    ],
    unchecked: network.unchecked,
  };
}

/** Another plugin than the cluster's is told alone: what its settings would be says nothing. */
function compareNetwork(cluster: Cluster, { network, plugins, record }: Applied, podSubnet: string): Part {
  const { plugin } = cluster.network;
  const recorded = record.answer.is === 'yes' ? record.answer.value.cluster.network.plugin : undefined;
  const applied = recorded ?? (plugins.includes(plugin) ? plugin : plugins[0]);
  if (applied !== undefined && applied !== plugin)
    return { found: one('spec.network.plugin', applied, plugin), unchecked: [] };
  return podNetworkWorkOf(cluster).compare(cluster, network, podSubnet);
}

function compareNames(cluster: Cluster, config: AppliedConfig): Found[] {
  const { kubernetes, endpoint } = cluster;
  const addressKey = `spec.endpoint.${loadBalancerOf(cluster).addressKey}`;
  const [address = '', port = ''] = config.endpoint.split(':');
  return [
    ...one('metadata.name', config.name, cluster.name),
    ...one('spec.kubernetes.version', config.version, kubernetes.version),
    ...(config.endpoint === endpointOf(cluster)
      ? []
      : [
          ...one(addressKey, address, apiAddressOf(cluster)),
          ...one('spec.endpoint.port', port, String(endpoint.port)),
        ]),
    ...one('spec.kubernetes.podSubnet', config.podSubnet, kubernetes.podSubnet),
    ...one('spec.kubernetes.serviceSubnet', config.serviceSubnet, kubernetes.serviceSubnet),
    ...one('spec.kubernetes.dnsDomain', config.dnsDomain, kubernetes.dnsDomain),
  ];
}

/** Names that hosts bring along are none of the file's: a host that was added or taken out is named as such. */
function compareSans(cluster: Cluster, applied: Applied, config: AppliedConfig): Found[] {
  const wanted = cluster.kubernetes.certificateSANs;
  const hosts = [...hostsOf(cluster, 'control-plane'), ...applied.nodes].flatMap(({ name, address }) => [
    name,
    address,
  ]);
  const own = new Set([apiAddressOf(cluster), config.endpoint.split(':')[0], ...hosts]);
  const extra = config.certificateSANs.filter((name) => !own.has(name));
  const key = 'spec.kubernetes.certificateSANs';
  return [
    ...wanted
      .filter((name) => !config.certificateSANs.includes(name))
      .map((name) => ({ key, applied: `no ${shown(name)}`, wanted: shown(name) })),
    ...extra
      .filter((name) => !wanted.includes(name))
      // A name too many opens nothing, and a control plane that was taken out by hand leaves its own.
      .map((name) => ({ key, applied: shown(name), wanted: `no ${shown(name)}`, verdict: 'stays' as const })),
  ];
}

/**
 * Without what Kubewright sets by itself where the file says nothing. A cluster of an earlier version may lack it: the file
 * asks for no change there. A value that is set by itself no longer has to stay in this list.
 */
function withoutOwn(applied: ExtraArg[], wanted: ExtraArg[]): ExtraArg[] {
  const own = [NODE_MONITOR_GRACE].filter(({ name }) => !wanted.some((arg) => arg.name === name));
  return applied.filter((arg) => !own.some(({ name, value }) => name === arg.name && value === arg.value));
}

/** Only what the file says: a cluster of an earlier version may have been made in another way. */
function compareCertificates({ security }: Cluster, { certificates }: AppliedConfig): Found[] {
  return Object.entries(security?.certificates ?? {}).flatMap(([name, wanted]) => {
    const applied = certificates[name as keyof AppliedConfig['certificates']] ?? KUBEADM_CERTIFICATES[name];
    return one(`spec.security.certificates.${name}`, applied, String(wanted));
  });
}

/** Defaults of kubeadm's v1beta4. */
const KUBEADM_CERTIFICATES: Record<string, string> = {
  algorithm: 'RSA-2048',
  validityDays: '365',
  caValidityDays: '3650',
};

/** Volume by volume, those of delivered files among them. */
function compareVolumes(cluster: Cluster, { extraVolumes }: AppliedConfig, section: ControlPlaneSection): Found[] {
  const key = `spec.kubernetes.${section}.extraVolumes`;
  const [wanted, applied] = [volumesOf(cluster, section), extraVolumes[section]];
  const names = new Set([...applied, ...wanted].map(({ name }) => name));
  const named = (volumes: HostPathVolume[], name: string) => volumes.find((volume) => volume.name === name);
  return [...names]
    .map((name) => ({ key, applied: shown(named(applied, name)), wanted: shown(named(wanted, name)) }))
    .filter((one) => one.applied !== one.wanted);
}

/** Flag by flag; one that stands several times is all of its values in their order. */
export function compareArgs(key: string, wanted: ExtraArg[], applied: ExtraArg[]): Found[] {
  const names = new Set([...applied, ...wanted].map(({ name }) => name));
  return [...names].flatMap((name) => one(below(key, [name]), valuesOf(applied, name), valuesOf(wanted, name)));
}

function valuesOf(args: ExtraArg[], name: string): string | undefined {
  const values = args.filter((arg) => arg.name === name).map(({ value }) => value);
  return values.length === 0 ? undefined : values.join(', ');
}

function compareEtcd(cluster: Cluster, { etcd }: AppliedConfig, { record }: Applied): Found[] {
  const { topology } = cluster.etcd;
  const controlPlanes = hostsOf(cluster, 'control-plane').map(({ address }) => clientUrl(address));
  // To kubeadm every etcd is external that it has not made itself, on control planes as well.
  const isStacked = etcd.topology === 'stacked' || etcd.endpoints.every((url) => controlPlanes.includes(url));
  if (isStacked !== (topology === 'stacked')) {
    return one('spec.etcd.topology', isStacked ? 'stacked' : 'external', topology);
  }
  if ((etcd.topology === 'stacked') !== etcdOf(cluster).byKubeadm && isStacked) {
    const applied = etcd.topology === 'stacked' ? CHOSEN.etcd.runner : `another than ${CHOSEN.etcd.runner}`;
    return one('spec.etcd.runner', applied, cluster.etcd.runner ?? CHOSEN.etcd.runner);
  }
  if (etcd.topology === 'stacked') return compareArgs('spec.etcd.extraArgs', cluster.etcd.extraArgs, etcd.extraArgs);
  const members = etcdHosts(cluster);
  const wanted = members.map(({ address }) => clientUrl(address));
  return [
    ...members
      .filter(({ address }) => !etcd.endpoints.includes(clientUrl(address)))
      .map(({ name, address }) => ({
        key: `spec.hosts[${name}].role`,
        applied: 'no member of etcd',
        wanted: `etcd at ${address}`,
      })),
    ...etcd.endpoints
      .filter((url) => !wanted.includes(url))
      .map((url) => {
        // The cluster keeps addresses alone; which host it was the record tells.
        const name = recordedHosts(record).find(({ address }) => clientUrl(address) === url)?.name ?? '';
        return { key: `spec.hosts[${name}].role`, applied: `a member of etcd at ${shown(url)}`, wanted: 'nothing' };
      }),
  ];
}
