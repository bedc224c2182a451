import { loadBalancerWorkOf } from '../../components/registry/work.js';
import { lookOnly } from './look-only.js';

const HINT =
  'On the control planes, `journalctl -u keepalived -u haproxy` (of static pods: `crictl logs`) says who holds the virtual IP, and why.';

/** Exactly one control plane has the VIP, other hosts agree, and the API answers there from every host that can be asked. */
export const checkEndpoint = lookOnly(async (context) => {
  const faults = await loadBalancerWorkOf(context.cluster).faults(context);
  const { vip, port } = context.cluster.endpoint;
  return {
    findings: faults.map((evidence) => ({ code: 'KW482', host: null, evidence, hint: HINT })),
    found: `one control plane holds ${vip}, and the API answers at port ${port}`,
  };
});
