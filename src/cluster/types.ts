import type { KubeProxyMode } from '../components/kube-proxy/mode.js';
import type {
  ArtifactSettings,
  EndpointSettings,
  EtcdSettings,
  LoadBalancerSettings,
  PodNetworkSettings,
  RuntimeSettings,
} from '../components/registry/settings.js';
import type { HealthSettings } from './health/settings.js';
import type { Places } from './places.js';
import type { RegistrySettings } from './private-registry.js';
import type { SecuritySettings } from './security/settings.js';

/**
 * The cluster as everything behind `cluster/` sees it: checked, with every default filled in, relative paths resolved
 * and referenced files (kubeadm patches) read. Plain JSON, because it is the workflow's input; it holds names of
 * secrets (`sudoPasswordEnv`), never secrets.
 */
export type Role = 'control-plane' | 'worker' | 'etcd' | 'director';

/** How the worker reaches one host. Paths are paths on the worker's machine; `~/` is expanded there. */
export interface SshSettings {
  /** `openssh`: the system's own `ssh`. Absent is `ssh2`, as in every cluster of 0.1.0. */
  client?: 'ssh2' | 'openssh';
  /** Address or DNS name to connect to; the host's `address` unless given. */
  address: string;
  port: number;
  user: string;
  /** Private keys tried in this order; empty means the agent and what `~/.ssh/config` names. */
  keyFiles: string[];
  /** Whether `$SSH_AUTH_SOCK` is asked. */
  agent: boolean;
  /** OpenSSH client configuration to read, or null. */
  configFile: string | null;
  knownHostsFile: string;
  /** `strict`: unknown keys are refused. `accept-new`: an unknown key is added, a changed one refused. */
  hostKeys: 'strict' | 'accept-new';
  bastion: Bastion | null;
  /** Name of the variable in the worker's environment that holds the sudo password, or null. */
  sudoPasswordEnv: string | null;
  /**
   * Settings that the file writes out although they equal the default: `~/.ssh/config` does not override them. Other
   * defaults it may fill in. Absent when there are none.
   */
  pinned?: ('user' | 'port' | 'knownHostsFile')[];
}

/** A host through which others are reached (`ssh.bastion`). */
export interface Bastion {
  address: string;
  port: number;
  user: string;
  keyFiles: string[];
}

/** A taint of a node, as Kubernetes has it. */
export interface Taint {
  key: string;
  value: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** One host of a cluster. */
export interface ClusterHost {
  /** Node name; also the name in every step id. */
  name: string;
  /** IPv4 address that the cluster uses: node-ip, advertise address, etcd URLs. Never detected. */
  address: string;
  role: Role;
  labels: Record<string, string>;
  /** null: kubeadm's own (control planes are tainted, workers are not). */
  taints: Taint[] | null;
  ssh: SshSettings;
}

/** kubeadm v1beta4 extra arguments are lists, for a flag may stand twice. */
export interface ExtraArg {
  name: string;
  value: string;
}

/** A directory or file of every control plane's host that is mounted into one of its static pods. */
export interface HostPathVolume {
  name: string;
  hostPath: string;
  mountPath: string;
  readOnly: boolean;
  /** What has to be at `hostPath`, as Kubernetes names it (`DirectoryOrCreate`); null: whatever is there. */
  pathType: string | null;
}

/** A file that every control plane gets before it is one, root's alone; `spec.kubernetes.files`. */
export interface ControlPlaneFile {
  /** Absolute path on the hosts. */
  path: string;
  /** Read by the client; null where it is a secret, which no plan may hold. */
  content: string | null;
  /** Name of the variable in the worker's environment that holds the content, or null. */
  env: string | null;
}

/** One kubeadm patch file, read by the client so that the worker needs no access to the user's directory. */
export interface KubeadmPatch {
  /** As kubeadm wants it: `target[suffix][+patchtype].extension`, such as `kube-apiserver0+merge.yaml`. */
  name: string;
  content: string;
}

/** A check of the preflight that a person has overruled. */
export interface OverruledCheck {
  /** Such as `KW335`; one of `PREFLIGHT_CODES` that may be overruled. */
  code: string;
  /** Names of the hosts that the check leaves out; null: all of them. */
  hosts: string[] | null;
  /** Why, in the words of the person; `plan` and the step's summary show it. */
  reason: string;
}

/** A cluster as `cluster.yaml` describes it, every default filled in. docs/cluster-yaml.md says what each key means. */
export interface Cluster {
  name: string;
  kubernetes: {
    /** Without a leading v, such as `1.34.3`. */
    version: string;
    podSubnet: string;
    serviceSubnet: string;
    dnsDomain: string;
    /** Extra names and addresses in the API server's certificate. */
    certificateSANs: string[];
    apiServer: {
      extraArgs: ExtraArg[];
      /** Port that every API server listens on. Absent is 6443, as in every cluster of 0.1.0. */
      port?: number;
      /** Absent when there are none, as in every cluster of 0.1.0; so it is with the other components. */
      extraVolumes?: HostPathVolume[];
    };
    controllerManager: { extraArgs: ExtraArg[]; extraVolumes?: HostPathVolume[] };
    scheduler: { extraArgs: ExtraArg[]; extraVolumes?: HostPathVolume[] };
    /** Absent when there are none. */
    files?: ControlPlaneFile[];
    /** Merged into KubeletConfiguration (kubelet.config.k8s.io/v1beta1). */
    kubelet: { config: Record<string, unknown>; extraArgs: ExtraArg[] };
    kubeProxy: {
      /** How it carries Services. Absent is what `config` says, or its own default (iptables), as in every cluster of 0.1.0. */
      mode?: KubeProxyMode;
      /** Merged into KubeProxyConfiguration. */
      config: Record<string, unknown>;
    };
    patches: KubeadmPatch[];
    ignorePreflightErrors: string[];
  };
  endpoint: {
    /** Port of the API at the address that the load balancer has. */
    port: number;
  } & EndpointSettings;
  loadBalancer: LoadBalancerSettings;
  etcd: EtcdSettings;
  runtime: RuntimeSettings;
  network: PodNetworkSettings;
  packages: ArtifactSettings & {
    /** Proxy through which the hosts fetch packages and pull images, such as `http://proxy.example.org:3128`, or null. */
    proxy: string | null;
    /** Registry of the user's; absent: none. */
    registry?: RegistrySettings;
  };
  preflight: { ignore: OverruledCheck[] };
  /** Who is told of health checks, and what else they ask for; absent where the file says nothing of it, as in every cluster of 0.1.0. */
  health?: HealthSettings;
  /** Absent where the file asks for no hardening, as in every cluster of 0.1.0. */
  security?: SecuritySettings;
  /** Added to (and overriding) the sysctls that Kubernetes needs, on every host. */
  sysctls: Record<string, string>;
  hosts: ClusterHost[];
  /**
   * Lines of the file by key, for messages. No part of what the cluster is: neither the plan's hash nor a comparison of two
   * clusters looks at them, so that a comment in the file changes nothing.
   */
  places?: Places;
}

/** Every host of a role, in the order of the file: the first control plane is where the cluster begins. */
export function hostsOf(cluster: Cluster, role: Role): ClusterHost[] {
  return cluster.hosts.filter((host) => host.role === role);
}
