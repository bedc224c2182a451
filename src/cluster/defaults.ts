import { VIRTUAL_IP_DEFAULTS } from '../components/load-balancer/virtual-ip/virtual-ip.js';
import { CHOSEN } from '../components/registry/settings.js';

/**
 * Every default of `cluster.yaml`, and where it comes from. Kept apart from the schema so that a reader finds all of them
 * on one page, but for those of single components, which stand with them; the schema repeats them to editors, `resolve`
 * fills them in.
 */
export const DEFAULTS = {
  endpoint: {
    port: CHOSEN.loadBalancer.endpoint.port,
    ...VIRTUAL_IP_DEFAULTS,
    advertIntervalMs: CHOSEN.loadBalancer.endpoint.advertIntervalMs,
  },
  kubernetes: {
    /** The newest one that Kubewright's own tests install. */
    version: '1.37.2',
    /** flannel's own default network: 256 nodes of 254 pods. */
    podSubnet: '10.244.0.0/16',
    /** kubeadm's default. */
    serviceSubnet: '10.96.0.0/12',
    /** kubeadm's default. */
    dnsDomain: 'cluster.local',
  },
  etcd: CHOSEN.etcd,
  loadBalancer: { type: CHOSEN.loadBalancer.type },
  runtime: CHOSEN.runtime,
  network: CHOSEN.network,
  packages: {
    ...CHOSEN.packages,
    /** None, or the one that the package manager's own configuration names. */
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
