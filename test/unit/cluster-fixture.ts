import type { Cluster, ClusterHost, Role } from '../../src/cluster/types.js';

/** A checked cluster for tests that start behind the loader. Changes are merged at the top level. */
export function clusterOf(
  size: { controlPlanes: number; workers: number; etcd?: number; directors?: number },
  changes: Partial<Cluster> = {},
): Cluster {
  const hosts = [
    ...hostsNamed('cp', 'control-plane', size.controlPlanes, 10),
    ...hostsNamed('w', 'worker', size.workers, 20),
    ...hostsNamed('etcd', 'etcd', size.etcd ?? 0, 30),
    ...hostsNamed('lb', 'director', size.directors ?? 0, 70),
  ];
  return {
    name: 'demo',
    kubernetes: {
      version: '1.34.3',
      podSubnet: '10.244.0.0/16',
      serviceSubnet: '10.96.0.0/12',
      dnsDomain: 'cluster.local',
      certificateSANs: [],
      apiServer: { extraArgs: [] },
      controllerManager: { extraArgs: [] },
      scheduler: { extraArgs: [] },
      kubelet: { config: {}, extraArgs: [] },
      kubeProxy: { config: {} },
      patches: [],
      ignorePreflightErrors: [],
    },
    endpoint: {
      vip: '10.88.0.100',
      port: 8443,
      prefixLength: 24,
      interface: null,
      virtualRouterId: 100,
      advertIntervalMs: 200,
    },
    loadBalancer: { type: 'haproxy-keepalived', source: 'bundle' },
    etcd: { topology: (size.etcd ?? 0) > 0 ? 'external' : 'stacked', extraArgs: [] } as Cluster['etcd'],
    runtime: { type: 'containerd', source: 'bundle', config: {} },
    network: { plugin: 'flannel', backend: { Type: 'vxlan' } },
    packages: { source: 'bundle', bundle: null, proxy: null },
    preflight: { ignore: [] },
    sysctls: {},
    hosts,
    ...changes,
  };
}

function hostsNamed(prefix: string, role: Role, count: number, firstOctet: number): ClusterHost[] {
  return Array.from({ length: count }, (_, index) => {
    const address = `10.88.0.${firstOctet + index + 1}`;
    return {
      name: `${prefix}-${index + 1}`,
      address,
      role,
      labels: {},
      taints: null,
      ssh: {
        address,
        port: 22,
        user: 'root',
        keyFiles: [],
        agent: false,
        configFile: null,
        knownHostsFile: '~/.ssh/known_hosts',
        hostKeys: 'strict',
        bastion: null,
        sudoPasswordEnv: null,
      },
    };
  });
}
