import type { ExtraArg, HostPathVolume, Taint } from '../../cluster/types.js';
import type { EtcdRunner } from '../../components/registry/settings.js';
import type { ControlPlaneSection } from '../../render/control-plane-files.js';
import type { NodeMetadata } from '../kubeadm/node/node-object.js';
import type { AppliedRecord } from './record/read.js';

/** A component's settings as a file or a ConfigMap holds them. */
export type Settings = Record<string, unknown>;

/** What a living cluster was built with, as it says itself: from its API, and from the hosts of cluster.yaml. */
export interface Applied {
  /** Name of the control plane that was asked. */
  via: string;
  /**
   * Whether `kubeadm init` has come to its end, which the ownership record of a control plane tells. Before that, the next
   * run goes through its phases again with the file as it is then.
   */
  finished: boolean;
  /** What kubeadm keeps in the cluster; undefined before init has put it there. */
  config: AppliedConfig | undefined;
  /** ConfigMap kubelet-config; undefined when there is none. */
  kubelet: Settings | undefined;
  /** ConfigMap kube-proxy; undefined when there is none. */
  kubeProxy: Settings | undefined;
  /** What the pod network says of itself; undefined before it is there. */
  network: AppliedNetwork | undefined;
  /** Names of the plugins that Kubewright has given the cluster, by what they have left there. */
  plugins: string[];
  nodes: AppliedNode[];
  /** What init was begun with, as a control plane keeps it; undefined when none of them does (the first one was replaced). */
  begun: BegunWith | undefined;
  /** What the last operation that changed the cluster wrote down. */
  record: AppliedRecord;
  /** By name; without those that could not be asked. */
  hosts: Map<string, AppliedHost>;
}

/** A pod network as a cluster has it. */
export interface AppliedNetwork {
  podSubnet: string;
  /** Its settings besides, in its own words. */
  settings: Settings;
}

/** kubeadm's ClusterConfiguration, as far as cluster.yaml has a say in it. */
export interface AppliedConfig {
  name: string;
  /** Without a leading v. */
  version: string;
  /** `ADDRESS:port`. */
  endpoint: string;
  podSubnet: string;
  serviceSubnet: string;
  dnsDomain: string;
  certificateSANs: string[];
  /** Whether it was begun without kube-proxy. */
  withoutKubeProxy: boolean;
  extraArgs: Record<ControlPlaneSection, ExtraArg[]>;
  extraVolumes: Record<ControlPlaneSection, HostPathVolume[]>;
  /** How kubeadm makes certificates; a key that is absent is its own default. */
  certificates: { algorithm?: string; validityDays?: string; caValidityDays?: string };
  etcd: { topology: 'stacked'; extraArgs: ExtraArg[] } | { topology: 'external'; endpoints: string[] };
}

export interface AppliedNode {
  name: string;
  address: string;
  /** Without a leading v. */
  kubeletVersion: string;
  controlPlane: boolean;
  labels: Record<string, string>;
  taints: Taint[];
  /** What the last install set there of the file's labels and taints. */
  set: NodeMetadata;
}

/** What the first control plane's init was run with. */
export interface BegunWith {
  kubelet: Settings;
  kubeProxy: Settings;
  kubeletArgs: ExtraArg[];
}

/** What a host is asked for, beside what it runs. */
export type HostSource = 'owner' | 'certificate' | 'flags' | 'config' | 'etcd' | 'patches' | `manifest:${string}`;

/** What one host has from former runs. */
export interface AppliedHost {
  name: string;
  /** Whether it is a whole member of the cluster, by its ownership record; only then has it something to lose. */
  member: boolean;
  /** What it is by what runs there; undefined when nothing tells. */
  role: 'control-plane' | 'etcd' | undefined;
  /** Version of the kubelet that runs, else of the one that is installed; without a leading v. */
  kubeletVersion: string | undefined;
  /** Command lines of static pods, by component. */
  commands: Map<string, string[]>;
  /** Names and addresses in the API server's certificate. */
  certificateNames: string[] | undefined;
  /** Flags that kubeadm gave its kubelet, as one line. */
  kubeletFlags: string | undefined;
  kubelet: Settings | undefined;
  /** What runs its member of etcd; undefined where it has none. */
  etcdRunner: EtcdRunner | undefined;
  /** Flags that its member of etcd was started with, where kubeadm has not made it. */
  etcdArgs: ExtraArg[] | undefined;
  /** SHA-256 of kubeadm patches, by file name. */
  patches: Map<string, string>;
  /** What it did not tell, although it was asked, and why: that says nothing of what it has. */
  unread: Map<HostSource, string>;
}
