import { isNode } from '../../../cluster/roles.js';
import { type Cluster, hostsOf } from '../../../cluster/types.js';
import { clusterStep } from '../../../plan/step.js';
import { amongNodes, type Way } from '../../flows.js';
import { hasKubeProxy } from '../../kube-proxy/mode.js';
import { folders, type Leftover, paths } from '../../leftovers.js';
import type { KernelFeature, Listener, PodNetwork } from '../../types.js';
import { type CiliumEncapsulation, HEALTHZ_PORT, settingsOf } from './settings.js';

const CNI_CONFIGURATION = '05-cilium.conflist';
const PURPOSE = "Cilium's data plane";

/** Cilium's "System requirements": health checks between agents, and the tunnel. */
const HEALTH: Way = { protocol: 'tcp', port: 4240, use: 'pod network, health checks' };
const TUNNELS: Readonly<Record<CiliumEncapsulation, Extract<Way, { protocol: 'udp' }> | undefined>> = {
  vxlan: { protocol: 'udp', port: 8472, use: 'pod network, vxlan' },
  geneve: { protocol: 'udp', port: 6081, use: 'pod network, geneve' },
  none: undefined,
};

/** TCP ports that its pods have on their hosts, whatever is chosen (its chart's values, and the same page). */
const PORTS: readonly [port: number, process: string, use: string][] = [
  [4240, 'cilium-agent', 'cilium (health checks)'],
  [9878, 'cilium-envoy', 'cilium-envoy (health)'],
  [9879, 'cilium-agent', 'cilium (health)'],
  [9890, 'cilium-agent', 'cilium (gops)'],
  [9964, 'cilium-envoy', 'cilium-envoy (metrics)'],
  [9234, 'cilium-operator-generic', 'cilium-operator'],
  [9891, 'cilium-operator-generic', 'cilium-operator (gops)'],
  [9963, 'cilium-operator-generic', 'cilium-operator (metrics)'],
];

const tunnelOf = (cluster: Cluster) => TUNNELS[settingsOf(cluster).encapsulation];

/** What the kernel has from the beginning or not at all; from 5.10 on it does what Cilium asks of it. */
const BUILT_IN: readonly KernelFeature[] = [
  { module: 'bpf', evidence: 'filesystem:bpf', purpose: PURPOSE, since: '5.10', isBuiltIn: true },
  { module: 'btf', evidence: '/sys/kernel/btf/vmlinux', purpose: PURPOSE, isBuiltIn: true },
];

/** For programs on cards, for masquerading by iptables, and for what goes through its proxy. */
const MODULES = ['cls_bpf', 'sch_ingress', 'ip_set', 'ip_set_hash_ip', 'xt_set', 'xt_TPROXY', 'xt_mark', 'xt_CT'];

/** Cilium by the chart that its makers publish. */
export const cilium: PodNetwork = {
  maker: 'cilium',
  // Pods' own are named by twelve digits: lxcbr0 is that of another program.
  makesCard: (name) => /^(cilium_(host|net|vxlan|geneve)|lxc_health|lxc[0-9a-f]{12})$/.test(name),
  cniConfiguration: CNI_CONFIGURATION,
  isBroughtLater: false,

  fixedPorts: PORTS.map(([port, , use]) => ({ port, use })),
  listeners(cluster, role) {
    if (!isNode(role)) return [];
    const tunnel = tunnelOf(cluster);
    // The kernel itself listens for tunnels.
    const ofTunnel: Listener[] = tunnel ? [{ protocol: 'udp', port: tunnel.port, process: '', use: 'cilium' }] : [];
    const ofServices: Listener[] = hasKubeProxy(cluster.kubernetes.kubeProxy)
      ? []
      : [{ protocol: 'tcp', port: HEALTHZ_PORT, process: 'cilium-agent', use: 'cilium (health of Services)' }];
    const others = PORTS.map(([port, process, use]): Listener => ({ protocol: 'tcp', port, process, use }));
    return [...ofTunnel, ...others, ...ofServices];
  },
  flows(cluster) {
    const [controlPlanes, workers] = [hostsOf(cluster, 'control-plane'), hostsOf(cluster, 'worker')];
    const tunnel = tunnelOf(cluster);
    return [HEALTH, ...(tunnel ? [tunnel] : [])].flatMap((way) => amongNodes(controlPlanes, workers, way));
  },
  kernelFeatures(cluster, role) {
    if (!isNode(role)) return [];
    const { encapsulation } = settingsOf(cluster);
    const names = [...(encapsulation === 'none' ? [] : [encapsulation]), ...MODULES];
    return [...BUILT_IN, ...names.map((module): KernelFeature => ({ module, evidence: 'module', purpose: PURPOSE }))];
  },
  sysctls: () => ({}),
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  // Its chains, and /run/cilium, are told of any host that has them (`OTHER_NETWORKS`). In the latter a cgroup is mounted,
  // and pins of eBPF are what the next agent goes on with: both stay until a reboot.
  leaves: [
    ...['cilium_host', 'cilium_net', 'cilium_vxlan', 'cilium_geneve', 'lxc_health'].map(
      (name): Leftover => ({ kind: 'interface', name, by: 'cilium', means: 'residue', cleanUp: 'remove' }),
    ),
    ...paths(
      'cilium',
      'residue',
      [`/etc/cni/net.d/${CNI_CONFIGURATION}`, '/etc/sysctl.d/99-zzz-override_cilium.conf'],
      'remove',
    ),
    ...paths('cilium', 'residue', ['/sys/fs/bpf/tc/globals', '/sys/fs/bpf/cilium', '/var/lib/cilium']),
    ...['CILIUM_*', 'OLD_CILIUM_*'].map(
      (name): Leftover => ({ kind: 'chain', name, by: 'another pod network', means: 'trace' }),
    ),
    ...folders('cilium', ['/run/cilium']),
  ],

  install: ({ network }, init) => [
    clusterStep('network', {
      phase: 'network',
      action: 'applyCilium',
      title: `Apply the pod network (${network.plugin})`,
      needs: [init],
    }),
  ],
};
