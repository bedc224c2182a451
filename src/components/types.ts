import type { Cluster, ClusterHost, Role } from '../cluster/types.js';
import type { Step } from '../plan/types.js';
import type { Flow } from './flows.js';
import type { Leftover } from './leftovers.js';

/**
 * What the rest of Kubewright asks of a choice, as far as it is known without a host: the pure part, `plan.ts` in its
 * folder. The compiler holds a choice complete; who needs something else of all of them adds it here.
 */
export interface Component {
  /** TCP ports that it has on control planes and that no key of cluster.yaml moves: no other key may name them. */
  fixedPorts: readonly { port: number; use: string }[];
  /** What it listens on, on hosts of a role. */
  listeners(cluster: Cluster, role: Role): Listener[];
  /** What hosts send to each other for it. */
  flows(cluster: Cluster): Flow[];
  /** What it needs of the kernel of hosts of a role. */
  kernelFeatures(cluster: Cluster, role: Role): KernelFeature[];
  /** Kernel settings of hosts of a role, by name. */
  sysctls(role: Role): Record<string, string>;
  /** What it needs of the distribution, on hosts of a role. */
  packages(cluster: Cluster, role: Role): Packages;
  /** Services of the distribution that it configures. */
  services: readonly Service[];
  /** Files beside their configurations that its steps write as a whole, and that others may have written. */
  replaces: readonly { path: string; roles: readonly Role[] }[];
  /** All that it leaves on a host. */
  leaves: readonly Leftover[];
  /** Variables of the worker's environment in which its steps look up secrets; left out: none. */
  secrets?(cluster: Cluster): readonly string[];
}

/** A port that something listens on. */
export interface Listener {
  protocol: 'tcp' | 'udp';
  port: number;
  /** Name of the process that will; empty where the kernel itself listens. */
  process: string;
  /** For people, such as "etcd (peers)". */
  use: string;
}

/** A kernel module, and the file whose existence shows that the kernel can do what it is for, loaded or built in. */
export interface KernelFeature {
  module: string;
  /**
   * Absolute path that exists when the feature is there; `filesystem:NAME` for a line in /proc/filesystems; `symbol:NAME` for
   * a function of the running kernel; `module` where only the module itself shows (in /sys/module, or among those that are
   * built in).
   */
  evidence: string;
  /** What it is needed for, as the end of "needed for …". */
  purpose: string;
  /** The oldest kernel that does for it, such as `5.13`; left out where having the module says it all. */
  since?: string;
  /** No kernel has it as a module: nothing could be loaded, and `module` is only its name here. */
  isBuiltIn?: true;
}

/** Packages by the names that Debian gives them; another family of distributions translates what it calls otherwise. */
export interface Packages {
  install: readonly string[];
  /** Installed, and left alone by an upgrade of the system. */
  hold: readonly string[];
}

/** A service of the distribution, which stays stopped until it is configured. */
export interface Service {
  /** Of the unit without `.service`, and of the process. */
  name: string;
  /** Packages that bring it, any one of them. */
  packages: readonly [string, ...string[]];
  /** Its configuration, which a step writes as a whole. */
  configuration: string;
  roles: readonly Role[];
  /** What to do where it does other work, as the beginning of a sentence: "Move what it serves to another host". */
  remedy: string;
}

/** Steps in front of the beginning of the cluster, and who waits for them. */
export interface Preparation {
  steps: Step[];
  /** Ids that `kubeadm init` or `join` of a host needs besides what is on every host. */
  neededBy(host: ClusterHost): string[];
  /** Ids that the beginning of the cluster needs besides those of its own host. */
  neededByInit: string[];
}

/**
 * A program that a fail-over drill ends. A unit is stopped, and started again; a container of a static pod is killed, and its kubelet
 * brings it back.
 */
export type DrilledProgram = { unit: string } | { container: string };

/** Where a balancer's log is, and which of its lines tell of a control plane: extended regular expressions. */
export interface BackendLog {
  program: DrilledProgram;
  /** It gets no new connections any more. */
  left(host: ClusterHost): string;
  /** It gets some again. */
  returned(host: ClusterHost): string;
}

/** What carries the API's address and spreads it over the control planes. */
export interface LoadBalancer extends Component {
  /** Key of `spec.endpoint` that says where clients find the API; the file must have it. */
  addressKey: 'vip' | 'address';
  /** What that key says: an IPv4 address, or a DNS name. */
  address(cluster: Pick<Cluster, 'endpoint'>): string;
  /** Whether it listens at `endpoint.port` on control planes, so that nothing else may have the port there. */
  bindsEndpointPort: boolean;
  /** Role of hosts that it has to itself, outside of the cluster; null where it has none. */
  hostRole: Role | null;
  /**
   * Whether it may take many seconds until it leads to an API server that is ready: what the first control plane does
   * through the endpoint waits for it then.
   */
  leadsLate: boolean;
  /** What a fail-over drill ends on the host that has the endpoint; null where the balancer is not of the cluster. */
  drilled: DrilledProgram | null;
  /** How it tells which control planes it leads to; null where it tells nobody, or leads to one alone. */
  backendLog: BackendLog | null;
  /** Whether a control plane that asks at the endpoint is answered by itself: what it sees says nothing of the balancer. */
  answersOnControlPlanes: boolean;
  /** What a health check does with the endpoint, for people: title of its step. */
  lookTitle: string;
  install(cluster: Cluster): Preparation;
  /**
   * Manifests, by their paths on a control plane, that `kubeadm init` hands to its kubelet: with them the endpoint comes up,
   * and init waits for it. None where the endpoint is up before.
   */
  staticPods: readonly string[];
  /**
   * Whether they ask the API as kubeadm's administrator, with its admin.conf, before the endpoint is there. That one has no
   * rights until kubeadm gives them, which goes through the endpoint: init gives them first.
   */
  asksAsAdministrator: boolean;
  /** Beginnings of the names of the bundle's images that control planes need for it. */
  images(cluster: Cluster): readonly string[];
  /** What `bundle create` is told so that a bundle has what it runs, with a space in front; empty where each bundle has it. */
  bundleOptions: string;
  /**
   * Steps right behind the beginning of the cluster; further control planes join behind them.
   *
   * @param init id of the step that begins the cluster
   */
  begun(cluster: Cluster, init: string): Step[];
  /** @param joined ids of every host's `init` or `join` */
  verify(cluster: Cluster, joined: string[]): Step[];
}

/** Where etcd runs, and how it is brought up. */
export interface Etcd extends Component {
  /** Role of the hosts that hold a member. */
  memberRole: Role;
  /** Whether kubeadm makes a host's member together with its node; if not, `install` makes it before. */
  byKubeadm: boolean;
  /** Whether members are pods: their hosts have a kubelet and a container runtime, whatever their role. */
  inPods: boolean;
  /** Where hosts with a member keep its certificates, laid out as kubeadm does it in /etc/kubernetes/pki. */
  pki: string;
  /** Where a member has its data, in the folder `member` there. */
  dataDirectory: string;
  /** Days for which certificates are made (null: kubeadm's own year), and names that servers have besides their host's. */
  certificates(cluster: Cluster): { validityDays: number | null; names: readonly string[] };
  /** Account that reads the keys of a member's servers; null: root. */
  account: string | null;
  /** Programs of the artifacts that a host with a member runs for it, besides those to look at etcd with. */
  programs: readonly 'etcd'[];
  /** What a fail-over drill ends to stop a member. */
  drilled: DrilledProgram;
  /** Where a person reads what a member says, as the object of "look at": "`crictl ps -a` and `crictl logs`". */
  log: string;
  /** The section `etcd` of kubeadm's ClusterConfiguration. */
  kubeadmConfiguration(cluster: Cluster): object;
  install(cluster: Cluster): Preparation;
  /** @param joined ids of every host's `init` or `join` */
  verify(cluster: Cluster, joined: string[]): Step[];
  /** Certificates that its steps make anew by themselves when they end; null: none. */
  renews: RegExp | null;
}

/** What runs containers. */
export interface Runtime extends Component {
  /** Where the kubelet and crictl find it, such as `unix:///run/containerd/containerd.sock`. */
  socket: string;
  /** Whether its settings name registries or mirrors, from which hosts pull what the bundle lacks. */
  hasRegistries(cluster: Cluster): boolean;
  /** Whether it exchanges a registry's login for a token, as some registries want it; else it sends the login itself. */
  takesTokens: boolean;
  /** Unit that the kubelet waits for. */
  unit: string;
  /** Folder that images and containers grow in. */
  imageFolder: string;
  /** What `bundle create` is told so that a bundle has its programs, with a space in front; empty where each bundle has them. */
  bundleOptions: string;
  /** Steps that bring it up on one host. */
  prepare(cluster: Cluster, host: ClusterHost): Step[];
}

/** How pods reach each other. */
export interface PodNetwork extends Component {
  /** Who its leftovers are said to be by. */
  maker: string;
  /** Whether a network card is one that it makes: what is on it belongs to pods. */
  makesCard(name: string): boolean;
  /** File in /etc/cni/net.d that the runtime has to take; what sorts before it is in the way. Null: whatever is there. */
  cniConfiguration: string | null;
  /**
   * Whether a person brings it when the cluster is there. Until then no node is Ready and no pod of DNS runs: that is told as
   * left to do, and is no fault.
   */
  isBroughtLater: boolean;
  /**
   * Steps that give the cluster its network; nodes are Ready behind them, unless it is brought later.
   *
   * @param init id of the step that begins the cluster
   */
  install(cluster: Cluster, init: string): Step[];
}

/** Where programs and images come from. */
export interface ArtifactSource extends Component {
  /** Where hosts find kubelet and kubeadm. */
  programDirectory: string;
  /** Brings the programs to a host, behind its system. */
  programs(host: ClusterHost): Step[];
  /**
   * Brings the images that a host needs to come up.
   *
   * @param runtime ids of the steps that bring up its runtime
   */
  images(host: ClusterHost, runtime: string[]): Step[];
  /**
   * Brings the images that only checks use, when the host is done with what the cluster needs.
   *
   * @param joined id of the host's `init` or `join`
   */
  checkImages(host: ClusterHost, joined: string[]): Step[];
}
