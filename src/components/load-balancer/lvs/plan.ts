import { apiServerPort } from '../../../cluster/chosen-ports.js';
import { type Cluster, type ClusterHost, hostsOf } from '../../../cluster/types.js';
import { clusterStep, hostStep, idsOf } from '../../../plan/step.js';
import type { Step } from '../../../plan/types.js';
import { BINARY_DIRECTORY } from '../../../render/kubelet-unit.js';
import { between } from '../../flows.js';
import { folders, ours } from '../../leftovers.js';
import type { LoadBalancer, Preparation } from '../../types.js';
import { virtualIpOf } from '../virtual-ip/virtual-ip.js';
import { KEEPALIVED_DROP_IN_PATH } from '../vrrp/render/drop-in.js';
import { KEEPALIVED_CONFIG_PATH, unitPath } from '../vrrp/render/units.js';
import { REAL_SERVER_SCRIPT_PATH, REAL_SERVER_UNIT_PATH, SYNC_PORT, TABLE_PATH } from './places.js';
import { isFromBundle } from './settings.js';

/**
 * IPVS on directors, hosts outside of the cluster, spreads the API over the control planes by direct routing; keepalived
 * moves the virtual IP between the directors and looks after the API servers.
 */
export const lvs: LoadBalancer = {
  addressKey: 'vip',
  address: (cluster) => virtualIpOf(cluster).vip,
  // The API server itself has it.
  bindsEndpointPort: false,
  asksAsAdministrator: false,
  bundleOptions: '',
  drilled: { unit: 'keepalived' },
  // keepalived's own words (ipwrapper.c), of real servers.
  backendLog: {
    program: { unit: 'keepalived' },
    left: (host) => `Removing service \\[${escaped(host)}\\]`,
    returned: (host) => `Adding service \\[${escaped(host)}\\]`,
  },
  // They have the virtual IP on lo.
  answersOnControlPlanes: true,
  lookTitle: 'Look who holds the virtual IP and where LVS leads, and ask the API there',
  hostRole: 'director',
  // Until the API server of the first control plane is ready nothing leads to it: not its own `lo`, not the directors' table.
  leadsLate: true,

  fixedPorts: [],
  listeners({ endpoint }, role) {
    if (role !== 'director') return [];
    // Nobody listens; but somebody who did would answer clients whenever the table is empty.
    return [{ protocol: 'tcp', port: endpoint.port, process: 'keepalived', use: 'LVS' }];
  },

  flows(cluster) {
    const controlPlanes = hostsOf(cluster, 'control-plane');
    const directors = hostsOf(cluster, 'director');
    const nodes = [...controlPlanes, ...hostsOf(cluster, 'worker')];
    return [
      ...between(nodes, directors, { protocol: 'tcp', port: cluster.endpoint.port, use: 'endpoint' }),
      ...between(directors, controlPlanes, { protocol: 'tcp', port: apiServerPort(cluster), use: 'health checks' }),
      ...between(directors, directors, { protocol: 'vrrp', use: 'VRRP' }),
      ...between(directors, directors, { protocol: 'udp', port: SYNC_PORT, use: 'connections of LVS' }),
    ];
  },

  kernelFeatures: (_, role) =>
    role === 'director'
      ? [
          { module: 'ip_vs', evidence: TABLE_PATH, purpose: 'LVS' },
          { module: 'ip_vs_rr', evidence: 'module', purpose: "LVS's round robin" },
        ]
      : [],

  sysctls(role): Record<string, string> {
    // The larger one of `all` and of a card counts (ip-sysctl.rst), so `all` is enough.
    if (role === 'control-plane') return { 'net.ipv4.conf.all.arp_ignore': '1', 'net.ipv4.conf.all.arp_announce': '2' };
    if (role !== 'director') return {};
    return {
      // Who is connected to a control plane that was taken out is told so by a reset at the next packet, instead of waiting for
      // its own patience to end: 45 s for clients of Kubernetes.
      'net.ipv4.vs.expire_nodest_conn': '1',
      // Other directors hear of every connection once, and again when it lives on after ten seconds, so that one that comes
      // back soon knows all that is in use. By default it is every 50th packet, which a quiet watch takes hours for.
      'net.ipv4.vs.sync_threshold': '3 0',
      'net.ipv4.vs.sync_refresh_period': '10',
    };
  },

  // ipvsadm is for people: the kernel's table can be read without it. Its service, as the package configures it, does nothing.
  packages: (cluster, role) => ({
    install: role === 'director' && !isFromBundle(cluster) ? ['keepalived', 'ipvsadm'] : [],
    hold: [],
  }),
  services: [
    {
      name: 'keepalived',
      packages: ['keepalived'],
      configuration: KEEPALIVED_CONFIG_PATH,
      roles: ['director'],
      remedy: 'Move its addresses and virtual servers to other hosts',
    },
  ],
  replaces: [{ path: unitPath('keepalived'), roles: ['director'] }],
  leaves: [
    ...ours([
      KEEPALIVED_CONFIG_PATH,
      KEEPALIVED_DROP_IN_PATH,
      unitPath('keepalived'),
      `${BINARY_DIRECTORY}/keepalived`,
      REAL_SERVER_SCRIPT_PATH,
      REAL_SERVER_UNIT_PATH,
    ]),
    ...folders('keepalived', ['/etc/keepalived']),
  ],

  install,
  staticPods: [],
  images: () => [],
  begun: (_, init) => [
    proof('directors', 'Prove that other hosts get an answer from the API behind LVS', [init], true),
  ],

  verify: (_, joined) => [
    clusterStep('endpoint', {
      phase: 'verify',
      action: 'verifyDirectors',
      title: 'Verify the virtual IP, the table of LVS and the API behind it',
      needs: joined,
    }),
  ],
};

function install(cluster: Cluster): Preparation {
  const directors = hostsOf(cluster, 'director').map((host) =>
    hostStep(host, 'load-balancer', {
      phase: 'load-balancer',
      action: 'configureDirector',
      title: `Configure LVS and keepalived on ${host.name}`,
      // The bundle's needs nothing of the distribution, so a mirror that is slow does not hold it up.
      needs: [`${host.name}/${isFromBundle(cluster) ? 'system' : 'packages'}`],
    }),
  );
  const realServers = hostsOf(cluster, 'control-plane').map((host) =>
    hostStep(host, 'load-balancer', {
      phase: 'load-balancer',
      action: 'configureRealServer',
      title: `Let ${host.name} have the virtual IP while its API server is ready`,
      // Behind the settings without which it would answer ARP for the virtual IP; it asks with openssl.
      needs: [`${host.name}/packages`],
    }),
  );
  const reached = proof(
    'virtual-ip',
    'Prove that other hosts reach a director at the virtual IP',
    idsOf(directors),
    false,
  );
  return {
    steps: [...directors, ...realServers, reached],
    neededBy: (host: ClusterHost) => [`${host.name}/load-balancer`],
    neededByInit: [reached.id],
  };
}

/** @param answers whether an API server has to be behind the virtual IP */
function proof(verb: string, title: string, needs: string[], answers: boolean): Step {
  return {
    ...clusterStep(verb, { phase: 'load-balancer', action: 'proveDirectors', title, needs }),
    with: { answers },
  };
}

const escaped = ({ address }: ClusterHost): string => address.replaceAll('.', '\\.');
