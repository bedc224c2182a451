import { type Cluster, type ClusterHost, hostsOf } from '../../../cluster/types.js';
import { hostStep, idsOf } from '../../../plan/step.js';
import { BINARY_DIRECTORY } from '../../../render/kubelet-unit.js';
import { dropInPath } from '../../../render/loaded-config.js';
import { folders, ours } from '../../leftovers.js';
import type { LoadBalancer, Preparation } from '../../types.js';
import { NOTIFIER_PATH, NOTIFIER_UNIT_PATH } from '../vrrp/notify/places.js';
import { needsCurl, notifyOf, secretVariables } from '../vrrp/notify/settings.js';
import { endpointStep, haproxyLog, virtualIpStep, vrrpNeeds } from '../vrrp/plan.js';
import { KEEPALIVED_DROP_IN_PATH } from '../vrrp/render/drop-in.js';
import { HAPROXY_CONFIG_PATH } from './render/haproxy.js';
import { CHECK_SCRIPT_PATH, KEEPALIVED_CONFIG_PATH } from './render/keepalived.js';
import { ACCOUNT_PATH, unitPath } from './render/units.js';
import { isFromBundle } from './settings.js';

/** HAProxy spreads the API over the control planes, keepalived moves the virtual IP between them. */
export const haproxyKeepalived: LoadBalancer = {
  ...vrrpNeeds,
  leadsLate: false,
  drilled: { unit: 'haproxy' },
  backendLog: haproxyLog({ unit: 'haproxy' }),

  packages: (cluster, role) => ({
    install: role === 'control-plane' ? packagesOf(cluster) : [],
    hold: [],
  }),

  services: [
    {
      name: 'haproxy',
      packages: ['haproxy'],
      configuration: HAPROXY_CONFIG_PATH,
      roles: ['control-plane'],
      remedy: 'Move what it serves to another host',
    },
    {
      name: 'keepalived',
      packages: ['keepalived'],
      configuration: KEEPALIVED_CONFIG_PATH,
      roles: ['control-plane'],
      remedy: 'Move its addresses to other hosts',
    },
  ],
  replaces: [
    { path: unitPath('haproxy'), roles: ['control-plane'] },
    { path: unitPath('keepalived'), roles: ['control-plane'] },
    { path: ACCOUNT_PATH, roles: ['control-plane'] },
  ],
  leaves: [
    ...ours([
      HAPROXY_CONFIG_PATH,
      KEEPALIVED_CONFIG_PATH,
      CHECK_SCRIPT_PATH,
      dropInPath('haproxy'),
      KEEPALIVED_DROP_IN_PATH,
      unitPath('haproxy'),
      unitPath('keepalived'),
      ACCOUNT_PATH,
      `${BINARY_DIRECTORY}/{haproxy,keepalived}`,
      NOTIFIER_PATH,
      NOTIFIER_UNIT_PATH,
    ]),
    ...folders('HAProxy', ['/etc/haproxy', '/var/lib/haproxy', '/run/haproxy']),
    ...folders('keepalived', ['/etc/keepalived']),
  ],
  secrets: (cluster) => secretVariables(notifyOf(cluster)),

  install,
  staticPods: [],
  images: () => [],
  begun: () => [],

  verify: (_, joined) => [endpointStep(joined)],
};

function packagesOf(cluster: Cluster): string[] {
  return [
    ...(isFromBundle(cluster) ? [] : ['haproxy', 'keepalived']),
    ...(needsCurl(notifyOf(cluster)) ? ['curl'] : []),
  ];
}

function install(cluster: Cluster): Preparation {
  const balancers = hostsOf(cluster, 'control-plane').map((host) =>
    hostStep(host, 'load-balancer', {
      phase: 'load-balancer',
      action: 'configureLoadBalancer',
      title: `Configure HAProxy and keepalived on ${host.name}`,
      // The bundle's need nothing of the distribution, so a mirror that is slow does not hold them up.
      needs: [`${host.name}/${isFromBundle(cluster) ? 'system' : 'packages'}`],
    }),
  );
  // Of the first one alone: the cluster begins there without waiting for the others.
  const proof = virtualIpStep(idsOf(balancers.slice(0, 1)));
  return {
    steps: [...balancers, proof],
    neededBy: (host: ClusterHost) => [`${host.name}/load-balancer`],
    neededByInit: [proof.id],
  };
}
