import { loadBalancerWorkOf } from '../../components/registry/work.js';
import { lookOnly } from './look-only.js';

/** The API answers at its address from every host that can be asked, and the load balancer is as it should be. */
export const checkEndpoint = lookOnly(async (context) => {
  const work = loadBalancerWorkOf(context.cluster);
  const faults = await work.faults(context);
  const { found, hint } = work.health(context.cluster);
  return { findings: faults.map((evidence) => ({ code: 'KW482', host: null, evidence, hint })), found };
});
