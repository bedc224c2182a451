/**
 * Every default of `cluster.yaml`, and where it comes from. Kept apart from the schema so that a reader finds all of them
 * on one page; the schema repeats them to editors, `resolve.ts` fills them in.
 */
export const DEFAULTS = {
  endpoint: {
    /** HAProxy runs on the control planes, where the API server binds 6443 on every address: it needs a port of its own. */
    port: 8443,
    /** The commonest size of a server subnet; used only to check that VIP and control planes share a subnet. */
    prefixLength: 24,
    /** keepalived uses the card that carries the host's address. */
    interface: null,
    /**
     * VRRP version 3 counts centiseconds. With 200 ms a backup takes over after at most 3 x 200 + 200 = 800 ms; measured
     * in the lab 0.6 s, against 3.3 s with the one second that most guides use.
     */
    advertIntervalMs: 200,
  },
  kubernetes: {
    /** The version that Kubewright's own tests install. */
    version: '1.34.3',
    /** flannel's own default network: 256 nodes of 254 pods. */
    podSubnet: '10.244.0.0/16',
    /** kubeadm's default. */
    serviceSubnet: '10.96.0.0/12',
    /** kubeadm's default. */
    dnsDomain: 'cluster.local',
  },
  loadBalancer: { type: 'haproxy-keepalived' },
  runtime: { type: 'containerd' },
  network: {
    plugin: 'flannel',
    /** Works on any network that carries UDP between the hosts; flannel's recommended choice. */
    backend: { Type: 'vxlan' },
  },
  packages: {
    source: 'bundle',
    /** The worker's cache, by Kubernetes version and the host's architecture. */
    bundle: null,
    /** None, or the one that apt's own configuration names. */
    proxy: null,
  },
  ssh: {
    /** Needs nothing on the worker's machine, and runs nothing there. */
    client: 'ssh2',
    user: 'root',
    /** IANA. */
    port: 22,
    /** None: the agent, and the keys that the OpenSSH configuration names. */
    keyFiles: [],
    agent: true,
    /** As OpenSSH; on the worker. It is no error when this very file does not exist. */
    configFile: '~/.ssh/config',
    /** As OpenSSH; on the worker. */
    knownHostsFile: '~/.ssh/known_hosts',
    /** OpenSSH's `StrictHostKeyChecking=yes`: a key that nobody has vouched for is refused. */
    hostKeys: 'strict',
    bastion: null,
    sudoPasswordEnv: null,
  },
} as const;

/** Versions that Kubewright's own tests install; every other one is taken with the warning "not proven". */
export const PROVEN_VERSIONS: readonly string[] = ['1.34.3'];

/** kubeadm speaks v1beta4, the configuration that Kubewright writes, from 1.31 on. */
export const OLDEST_MINOR = 31;

/**
 * The VRRP id when none is given: the VIP's last octet, so that two clusters on one network differ without anyone
 * thinking of it. 0 is not a VRRP id (RFC 5798 section 5.2.3: 1 to 255).
 */
export function defaultVirtualRouterId(vip: string): number {
  return Number(vip.slice(vip.lastIndexOf('.') + 1)) || 1;
}
