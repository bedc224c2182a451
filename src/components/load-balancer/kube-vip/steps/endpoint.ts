import { NOT_CARRIED, provingVirtualIp } from '../../vrrp/steps/proveVirtualIp.js';
import { verifyingEndpoint } from '../../vrrp/steps/verifyEndpoint.js';
import { LEASE } from '../places.js';

const WHO = `\`kubectl -n ${LEASE.namespace} get lease ${LEASE.name}\` says who shall hold the virtual IP; on the control planes, \`crictl logs\` of kube-vip says why nobody or somebody else does.`;

/** Other hosts get an answer at the virtual IP, as soon as the first control plane has it. */
export const proveKubeVip = provingVirtualIp({
  KW351: NOT_CARRIED,
  KW352: `${WHO} An address that stayed behind goes with \`ip address del ADDRESS/32 dev CARD\` on the host that does not hold the lease. Then retry the step.`,
});

/** One control plane has the virtual IP, and the API answers there from every node. */
export const verifyKubeVip = verifyingEndpoint(`${WHO} Mend the cause, then retry the step.`);
