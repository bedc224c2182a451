import { hostsOf } from '../../../cluster/types.js';
import { type LoadBalancerWork, NOTHING_TO_CHECK } from '../../work-types.js';
import { virtualIpOf } from '../virtual-ip/virtual-ip.js';
import { lookAtEndpoint } from '../vrrp/steps/verifyEndpoint.js';
import { gatherVipFacts, vipProblems } from '../vrrp/vip.js';
import { checkCards } from '../vrrp/work.js';
import { LEASE } from './places.js';
import { settingsOf } from './settings.js';

export const work: LoadBalancerWork = {
  ...NOTHING_TO_CHECK,
  look: lookAtEndpoint,
  checkEndpoint: async () => [],
  unobstructed: (cluster) => `${virtualIpOf(cluster).vip} is free or ours`,
  health: (cluster) => ({
    found: `one control plane holds ${virtualIpOf(cluster).vip}, and the API answers at port ${cluster.endpoint.port}`,
    hint: `\`kubectl -n ${LEASE.namespace} get lease ${LEASE.name}\` says who shall hold the virtual IP; \`crictl logs\` of kube-vip on the control planes, why.`,
  }),
  check: checkCards('control-plane'),
  // A registry of the user's is asked for it. Without one, hosts may reach the image's own as they are: the pull tells.
  images(cluster) {
    const { image } = settingsOf(cluster);
    return image === null || cluster.packages.registry === undefined ? [] : [image];
  },
  bundled: (cluster, role) => (role === 'control-plane' && settingsOf(cluster).image === null ? ['kube-vip'] : []),

  async checkTogether({ cluster, hostNamed, signal }, peers) {
    const [first] = hostsOf(cluster, 'control-plane');
    // The loader refuses a file without a control plane, so this is a programming error, not a user's.
    if (first === undefined) throw new Error('a cluster has at least one control plane');
    return vipProblems(cluster, peers, await gatherVipFacts(virtualIpOf(cluster).vip, hostNamed(first.name), signal));
  },
};
