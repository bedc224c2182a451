import type { ImageQuery } from '../../bundle/bundle.js';
import type { Cluster, Role } from '../../cluster/types.js';
import { work as bundle } from '../artifacts/bundle/work.js';
import { work as repository } from '../artifacts/repository/work.js';
import { work as stacked } from '../etcd/stacked/work.js';
import { work as staticPods } from '../etcd/static-pods/work.js';
import { work as etcdBySystemd } from '../etcd/systemd/work.js';
import { work as external } from '../load-balancer/external/work.js';
import { work as haproxyKeepalived } from '../load-balancer/haproxy-keepalived/work.js';
import { work as kubeVip } from '../load-balancer/kube-vip/work.js';
import { work as lvs } from '../load-balancer/lvs/work.js';
import { work as staticPodBalancer } from '../load-balancer/static-pods/work.js';
import { work as calico } from '../network/calico/work.js';
import { work as cilium } from '../network/cilium/work.js';
import { work as flannel } from '../network/flannel/work.js';
import { work as manifest } from '../network/manifest/work.js';
import { work as noNetwork } from '../network/none/work.js';
import { work as containerd } from '../runtime/containerd/work.js';
import { work as crio } from '../runtime/crio/work.js';
import type {
  ArtifactWork,
  ComponentWork,
  EtcdWork,
  LoadBalancerWork,
  PodNetworkWork,
  RuntimeWork,
} from '../work-types.js';
import { kubeadmMakesMember, loadBalancerOf, runsContainers } from './plan.js';
import {
  type ArtifactSettings,
  CHOSEN,
  type EtcdRunner,
  type EtcdSettings,
  type LoadBalancerSettings,
  type PodNetworkSettings,
  type RuntimeSettings,
} from './settings.js';

const LOAD_BALANCERS: Record<LoadBalancerSettings['type'], LoadBalancerWork> = {
  'haproxy-keepalived': haproxyKeepalived,
  'static-pods': staticPodBalancer,
  external,
  lvs,
  'kube-vip': kubeVip,
};
const ETCDS: Record<EtcdRunner, Record<EtcdSettings['topology'], EtcdWork>> = {
  'static-pods': { stacked, external: staticPods },
  systemd: { stacked: etcdBySystemd, external: etcdBySystemd },
};
const RUNTIMES: Record<RuntimeSettings['type'], RuntimeWork> = { containerd, crio };
const POD_NETWORKS: Record<PodNetworkSettings['plugin'], PodNetworkWork> = {
  flannel,
  calico,
  cilium,
  manifest,
  none: noNetwork,
};
const ARTIFACT_SOURCES: Record<ArtifactSettings['source'], ArtifactWork> = { bundle, repository };

export const loadBalancerWorkOf = ({ loadBalancer }: Pick<Cluster, 'loadBalancer'>): LoadBalancerWork =>
  LOAD_BALANCERS[loadBalancer.type];
export const etcdWorkOf = ({ etcd }: Pick<Cluster, 'etcd'>): EtcdWork =>
  ETCDS[etcd.runner ?? CHOSEN.etcd.runner][etcd.topology];
export const runtimeWorkOf = ({ runtime }: Pick<Cluster, 'runtime'>): RuntimeWork => RUNTIMES[runtime.type];
export const podNetworkWorkOf = ({ network }: Pick<Cluster, 'network'>): PodNetworkWork => POD_NETWORKS[network.plugin];

export const artifactWorkOf = ({ packages }: Pick<Cluster, 'packages'>): ArtifactWork =>
  ARTIFACT_SOURCES[packages.source];

/** Every pod network there is, by its name in cluster.yaml. */
export const ALL_POD_NETWORK_WORK: readonly [PodNetworkSettings['plugin'], PodNetworkWork][] = Object.entries(
  POD_NETWORKS,
) as [PodNetworkSettings['plugin'], PodNetworkWork][];

/** Which images of a bundle the hosts of a cluster need. */
export function imageQuery(cluster: Cluster): ImageQuery {
  return {
    holdsMember: kubeadmMakesMember(cluster, 'control-plane'),
    loadBalancer: loadBalancerOf(cluster).images(cluster),
    ofNetwork: (image) => podNetworkWorkOf(cluster).runsImage(cluster, image),
  };
}

/**
 * The worker's part of all choices that a cluster has made.
 *
 * @param role of the host that they are asked about; left out: of the hosts together
 */
export function workOf(cluster: Cluster, role?: Role): ComponentWork[] {
  const runtime = role === undefined || runsContainers(cluster, role) ? [runtimeWorkOf(cluster)] : [];
  return [
    loadBalancerWorkOf(cluster),
    etcdWorkOf(cluster),
    ...runtime,
    podNetworkWorkOf(cluster),
    artifactWorkOf(cluster),
  ];
}
