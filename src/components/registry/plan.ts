import { isNode } from '../../cluster/roles.js';
import { type Cluster, type ClusterHost, hostsOf, type Role } from '../../cluster/types.js';
import { bundle } from '../artifacts/bundle/plan.js';
import { repository } from '../artifacts/repository/plan.js';
import { stacked } from '../etcd/stacked/plan.js';
import { staticPods } from '../etcd/static-pods/plan.js';
import { systemd } from '../etcd/systemd/plan.js';
import { external } from '../load-balancer/external/plan.js';
import { haproxyKeepalived } from '../load-balancer/haproxy-keepalived/plan.js';
import { kubeVip } from '../load-balancer/kube-vip/plan.js';
import { lvs } from '../load-balancer/lvs/plan.js';
import { staticPods as staticPodBalancer } from '../load-balancer/static-pods/plan.js';
import { calico } from '../network/calico/plan.js';
import { cilium } from '../network/cilium/plan.js';
import { flannel } from '../network/flannel/plan.js';
import { manifest } from '../network/manifest/plan.js';
import { none } from '../network/none/plan.js';
import { containerd } from '../runtime/containerd/plan.js';
import { crio } from '../runtime/crio/plan.js';
import type { ArtifactSource, Component, Etcd, LoadBalancer, PodNetwork, Runtime } from '../types.js';
import {
  type ArtifactSettings,
  CHOSEN,
  type EtcdRunner,
  type EtcdSettings,
  type LoadBalancerSettings,
  type PodNetworkSettings,
  type RuntimeSettings,
} from './settings.js';

const LOAD_BALANCERS: Record<LoadBalancerSettings['type'], LoadBalancer> = {
  'haproxy-keepalived': haproxyKeepalived,
  'static-pods': staticPodBalancer,
  external,
  lvs,
  'kube-vip': kubeVip,
};
/** By what runs the members, then by where they are. */
const ETCDS: Record<EtcdRunner, Record<EtcdSettings['topology'], Etcd>> = {
  'static-pods': { stacked, external: staticPods },
  systemd,
};
const RUNTIMES: Record<RuntimeSettings['type'], Runtime> = { containerd, crio };
const POD_NETWORKS: Record<PodNetworkSettings['plugin'], PodNetwork> = { flannel, calico, cilium, manifest, none };
const ARTIFACT_SOURCES: Record<ArtifactSettings['source'], ArtifactSource> = { bundle, repository };

/** The choice that a cluster has made, for each kind. */
export const loadBalancerOf = ({ loadBalancer }: { loadBalancer: Pick<LoadBalancerSettings, 'type'> }): LoadBalancer =>
  LOAD_BALANCERS[loadBalancer.type];
export const etcdOf = ({ etcd }: Pick<Cluster, 'etcd'>): Etcd =>
  ETCDS[etcd.runner ?? CHOSEN.etcd.runner][etcd.topology];
export const runtimeOf = ({ runtime }: Pick<Cluster, 'runtime'>): Runtime => RUNTIMES[runtime.type];
export const podNetworkOf = ({ network }: { network: Pick<PodNetworkSettings, 'plugin'> }): PodNetwork =>
  POD_NETWORKS[network.plugin];
export const artifactSourceOf = ({ packages }: Pick<Cluster, 'packages'>): ArtifactSource =>
  ARTIFACT_SOURCES[packages.source];

/** Address or DNS name at which clients find the API, without the port: of the chosen load balancer. */
export function apiAddressOf(cluster: Pick<Cluster, 'loadBalancer' | 'endpoint'>): string {
  return loadBalancerOf(cluster).address(cluster);
}

/** Keys of a cluster that choose components. */
export type Choosing = Pick<Cluster, 'loadBalancer' | 'etcd' | 'runtime' | 'network' | 'packages'>;

/** The choices that a cluster has made, as far as hosts of a role have anything of them. */
export function componentsOn(cluster: Choosing, role: Role): Component[] {
  const runtime = runtimeOf(cluster);
  return componentsOf(cluster).filter((each) => each !== runtime || runsContainers(cluster, role));
}

/** All choices that a cluster has made. */
export function componentsOf(cluster: Choosing): Component[] {
  return [
    loadBalancerOf(cluster),
    etcdOf(cluster),
    runtimeOf(cluster),
    podNetworkOf(cluster),
    artifactSourceOf(cluster),
  ];
}

const every = <T>(choices: Record<string, T>): T[] => Object.values(choices);

export const ALL_ETCDS: readonly Etcd[] = every(ETCDS).flatMap(every);

/** Every choice there is, for what is asked of a host whatever cluster it was part of. */
export const ALL_COMPONENTS: readonly Component[] = [
  ...ALL_ETCDS,
  ...every(POD_NETWORKS),
  ...every(LOAD_BALANCERS),
  ...every(RUNTIMES),
  ...every(ARTIFACT_SOURCES),
];
export const ALL_POD_NETWORKS: readonly PodNetwork[] = every(POD_NETWORKS);

/** Whether hosts of a role hold a member of etcd. */
export function holdsMember(cluster: Pick<Cluster, 'etcd'>, role: Role): boolean {
  return etcdOf(cluster).memberRole === role;
}

/** Whether kubeadm makes a member of etcd on hosts of a role, together with their node. */
export function kubeadmMakesMember(cluster: Pick<Cluster, 'etcd'>, role: Role): boolean {
  return etcdOf(cluster).byKubeadm && holdsMember(cluster, role);
}

/** Whether hosts of a role run containers: every node does, and an etcd host where its member is a pod; a director never. */
export function runsContainers(cluster: Pick<Cluster, 'etcd'>, role: Role): boolean {
  return isNode(role) || (role === 'etcd' && etcdOf(cluster).inPods);
}

/** Hosts that hold an etcd member: the control planes when stacked, the etcd hosts when external. */
export function etcdHosts(cluster: Cluster): ClusterHost[] {
  return hostsOf(cluster, etcdOf(cluster).memberRole);
}
