import type { Taint } from '../cluster/types.js';

/** What a `cluster.yaml` is made of before it is written: as far as it is known, and with what a person is to be told. */
export interface Draft {
  /** What it was made from, in words: `inventory.ini`. Undefined where it was made from the command line. */
  source: string | undefined;
  name: string;
  settings: DraftSettings;
  hosts: DraftHost[];
  /** What the source says and the file cannot, one line each. */
  leftOut: string[];
  /** What is not as the source, or the person, has it, one line each. */
  notes: string[];
  /** What a look at the hosts has found that a person should know, one line each; in the file it stands beside the host. */
  findings: string[];
  /** What somebody has to decide about the hosts before the file is right, as the rest of a sentence. */
  problem?: string | undefined;
}

export type DraftRole = 'control-plane' | 'worker' | 'etcd';

/** How a host is reached. What is left out is as `cluster.yaml` has it by default. */
export interface DraftSsh {
  /** Where that is not the host's own address. */
  address?: string | undefined;
  user?: string | undefined;
  port?: number | undefined;
  keyFile?: string | undefined;
  bastion?: DraftBastion | undefined;
}

export interface DraftBastion {
  address: string;
  user?: string | undefined;
  port?: number | undefined;
  keyFile?: string | undefined;
}

export interface DraftHost {
  /** A valid name of a node, and no other host's. */
  name: string;
  role: DraftRole;
  /** Undefined: somebody has to fill it in. */
  address: string | undefined;
  /** A control plane that takes ordinary pods as well. */
  runsPods: boolean;
  labels: Record<string, string>;
  /** Besides kubeadm's own of a control plane. */
  taints: Taint[];
  ssh: DraftSsh;
  /** For comments beside it, such as the system that runs there. */
  remarks: string[];
}

/** What concerns the whole cluster. Everything here may be left out but one: the file names an endpoint. */
export interface DraftSettings {
  version?: string | undefined;
  podSubnet?: string | undefined;
  serviceSubnet?: string | undefined;
  dnsDomain?: string | undefined;
  certificateSANs?: string[] | undefined;
  vip?: string | undefined;
  /** How the VIP was found, for a comment. */
  vipRemark?: string | undefined;
  /** Prefix length of the hosts' subnet, where it is known. */
  prefixLength?: number | undefined;
  /** A load balancer that is there already, in place of a VIP. */
  external?: { address: string; port: number } | undefined;
}

/** A host as its source has it: names and values unchecked. */
export interface FoundHost {
  /** Undefined where the source has no names. */
  name?: string | undefined;
  role: DraftRole;
  runsPods: boolean;
  /** The address that the cluster shall use, where the source tells it from the one for SSH. */
  address?: string | undefined;
  /** More addresses of it, which the cluster does not use. */
  otherAddresses?: unknown[];
  labels?: unknown;
  /** Maps as Kubernetes has them, or texts: `key=value:NoSchedule`. */
  taints?: unknown;
  ssh: { address?: unknown; user?: unknown; port?: unknown; keyFile?: unknown; bastion?: FoundBastion | undefined };
}

export interface FoundBastion {
  address?: unknown;
  user?: unknown;
  port?: unknown;
  keyFile?: unknown;
}

/** What one source says, before names and values are checked. */
export interface Found {
  name?: string | undefined;
  hosts: FoundHost[];
  settings: { [Key in keyof DraftSettings]?: unknown };
  /** As in {@link Draft}. */
  problem?: string | undefined;
}
