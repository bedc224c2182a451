import { type Cluster, type ClusterHost, hostsOf, type Role } from '../../cluster/types.js';
import { bundle } from '../artifacts/bundle/plan.js';
import { stacked } from '../etcd/stacked/plan.js';
import { staticPods } from '../etcd/static-pods/plan.js';
import { external } from '../load-balancer/external/plan.js';
import { haproxyKeepalived } from '../load-balancer/haproxy-keepalived/plan.js';
import { staticPods as staticPodBalancer } from '../load-balancer/static-pods/plan.js';
import { calico } from '../network/calico/plan.js';
import { flannel } from '../network/flannel/plan.js';
import { manifest } from '../network/manifest/plan.js';
import { none } from '../network/none/plan.js';
import { containerd } from '../runtime/containerd/plan.js';
import type { ArtifactSource, Component, Etcd, LoadBalancer, PodNetwork, Runtime } from '../types.js';
import type {
  ArtifactSettings,
  EtcdSettings,
  LoadBalancerSettings,
  PodNetworkSettings,
  RuntimeSettings,
} from './settings.js';

const LOAD_BALANCERS: Record<LoadBalancerSettings['type'], LoadBalancer> = {
  'haproxy-keepalived': haproxyKeepalived,
  'static-pods': staticPodBalancer,
  external,
};
const ETCDS: Record<EtcdSettings['topology'], Etcd> = { stacked, external: staticPods };
const RUNTIMES: Record<RuntimeSettings['type'], Runtime> = { containerd };
const POD_NETWORKS: Record<PodNetworkSettings['plugin'], PodNetwork> = { flannel, calico, manifest, none };
const ARTIFACT_SOURCES: Record<ArtifactSettings['source'], ArtifactSource> = { bundle };

/** The choice that a cluster has made, for each kind. */
export const loadBalancerOf = ({ loadBalancer }: { loadBalancer: Pick<LoadBalancerSettings, 'type'> }): LoadBalancer =>
  LOAD_BALANCERS[loadBalancer.type];
export const etcdOf = ({ etcd }: Pick<Cluster, 'etcd'>): Etcd => ETCDS[etcd.topology];
export const runtimeOf = ({ runtime }: Pick<Cluster, 'runtime'>): Runtime => RUNTIMES[runtime.type];
export const podNetworkOf = ({ network }: Pick<Cluster, 'network'>): PodNetwork => POD_NETWORKS[network.plugin];
export const artifactSourceOf = ({ packages }: Pick<Cluster, 'packages'>): ArtifactSource =>
  ARTIFACT_SOURCES[packages.source];

/** Address or DNS name at which clients find the API, without the port: of the chosen load balancer. */
export function apiAddressOf(cluster: Pick<Cluster, 'loadBalancer' | 'endpoint'>): string {
  return loadBalancerOf(cluster).address(cluster);
}

/** Keys of a cluster that choose components. */
export type Choosing = Pick<Cluster, 'loadBalancer' | 'etcd' | 'runtime' | 'network' | 'packages'>;

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

/** Every choice there is, for what is asked of a host whatever cluster it was part of. */
export const ALL_COMPONENTS: readonly Component[] = [
  ...every(ETCDS),
  ...every(POD_NETWORKS),
  ...every(LOAD_BALANCERS),
  ...every(RUNTIMES),
  ...every(ARTIFACT_SOURCES),
];
export const ALL_ETCDS: readonly Etcd[] = every(ETCDS);
export const ALL_POD_NETWORKS: readonly PodNetwork[] = every(POD_NETWORKS);

/** Whether hosts of a role hold a member of etcd. */
export function holdsMember(cluster: Pick<Cluster, 'etcd'>, role: Role): boolean {
  return etcdOf(cluster).memberRole === role;
}

/** Hosts that hold an etcd member: the control planes when stacked, the etcd hosts when external. */
export function etcdHosts(cluster: Cluster): ClusterHost[] {
  return hostsOf(cluster, etcdOf(cluster).memberRole);
}
