import type { Role } from '../../src/cluster/types.js';

/**
 * What makes a host harder to reach than a plain one (root login by key, reachable, with a package mirror):
 * `sudo` the login user is `ops` with passwordless sudo, root login is refused ·
 * `sudo-password` the same with a password ·
 * `bastion` the machine cannot reach it, only the lab's other hosts can: the lab adds a host named `bastion` for that ·
 * `no-mirror` it reaches the machine and the other hosts, and nothing else.
 */
export const HOST_KINDS = ['sudo', 'sudo-password', 'bastion', 'no-mirror'] as const;
export type HostKind = (typeof HOST_KINDS)[number];

/** Distributions and architectures that guests can have. */
export const DISTRIBUTIONS = ['debian-12', 'debian-13'] as const;
export type Distribution = (typeof DISTRIBUTIONS)[number];
export const ARCHITECTURES = ['amd64', 'arm64'] as const;

/** A host with a kernel of its own, under QEMU. */
export interface GuestSpec {
  distribution: Distribution;
  architecture: (typeof ARCHITECTURES)[number];
}

/** Who carries out a guest's instructions: the processor (`kvm`), or QEMU's emulation, ten times slower (`tcg`). */
export type Accelerator = 'kvm' | 'tcg';

export type Topology = 'stacked' | 'external-etcd';

/** One lab host as planned; nothing here changes after `lab up`. */
export interface PlannedHost {
  name: string;
  address: string;
  /** `bastion`: a host that is no part of the cluster. */
  role: Role | 'bastion';
  kinds: HostKind[];
  /** Who logs in: `root`, or a user with sudo. */
  user: string;
  sshPort: number;
  /** Name of the lab host through which alone it can be reached, or null. */
  bastion: string | null;
  /** Variable that its password for sudo is taken from when it is set; null where sudo asks for none. */
  sudoPasswordEnv: string | null;
  /** What it runs on; null: on namespaces of the machine's own kernel. */
  guest: GuestSpec | null;
}

export interface Subnet {
  /** Network address and prefix length, such as `10.88.0.0/24`. */
  cidr: string;
  prefixLength: number;
  /** The machine's own address in it, and the hosts' default route. */
  gateway: string;
}

export interface LabPlan {
  hosts: PlannedHost[];
  subnet: Subnet;
  /** Virtual address for the cluster's endpoint; no host has it. */
  vip: string;
  topology: Topology;
  /** Addresses of Services, as a CIDR: what is sent to them and kube-proxy does not answer for stays in the lab. */
  serviceSubnet: string;
  /** What the cluster.yaml names; undefined: the schema's default. */
  kubernetes?: string;
}

export interface LabUpOptions {
  /** Lower-case letters, digits and hyphens, at most 12 characters. Default `lab`. */
  name?: string;
  /** How many hosts. Default 5 (3 control planes, 2 workers), or 7 with external etcd. Not together with `clusterFile`. */
  hosts?: number;
  topology?: Topology;
  /** Path of a cluster.yaml: exactly its hosts at its addresses are made. */
  clusterFile?: string;
  /** Kinds by host name. */
  kinds?: Record<string, HostKind[]>;
  /** Guests by host name: these hosts run under QEMU instead of in namespaces. */
  guests?: Record<string, GuestSpec>;
  /** Kubernetes version that the generated cluster.yaml names. Default: the cluster.yaml schema's own. */
  kubernetes?: string;
  /** Size of each host's disk in GiB; the files are sparse. Default 20. */
  diskGiB?: number;
  /**
   * Password for `sudo-password` hosts. Default: the environment's `KUBEWRIGHT_SUDO_PASSWORD` (or what the cluster.yaml's
   * sudoPasswordEnv names), else generated into a 0600 file.
   */
  sudoPassword?: string;
  /** Take down a lab of the same name first, if there is one. Default false: it is an error. */
  replace?: boolean;
  /** Ends the waiting; what was made is removed and the signal's reason thrown. */
  signal?: AbortSignal;
  /** Says one short line to whoever waits. */
  log?: (line: string) => void;
}

/** What `lab.json` holds: enough to work with a lab from another process. */
export interface LabRecord {
  name: string;
  plan: LabPlan;
  /** Root of the base image; only where a host needs it. */
  base?: string;
  /** What guests start from, by `DISTRIBUTION:ARCHITECTURE`. */
  guests?: Record<string, GuestImage>;
  diskGiB: number;
  cgroups: LabCgroups;
}

/** A guest's disk as it comes from the cache, the kernel for it, and how it is run on this machine. */
export interface GuestImage {
  disk: string;
  kernel: string;
  accelerator: Accelerator;
}

/** Where a lab's cgroups lie: one directory a hierarchy, each below the cgroup of the process that made the lab. */
export interface LabCgroups {
  /** True where the machine has cgroup version 2 alone. */
  unified: boolean;
  /** All hierarchies' directories, the version 2 one included. */
  directories: string[];
  /** The version 2 directory: every process of the lab is below it. */
  processes: string;
  /** The directory whose controller counts memory. */
  memory: string;
}
