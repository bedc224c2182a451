import type { ClusterHost } from '../../cluster/types.js';
import { type HostView, viewOf } from '../../components/load-balancer/view.js';
import { loadBalancerWorkOf } from '../../components/registry/work.js';
import type { HealthFinding } from '../../plan/run.js';
import { endpointOf } from '../../render/kubeadm.js';
import { onEachHost } from '../each-host.js';
import { apiGetFunction } from '../kubeadm/node/api-get.js';
import type { StepContext } from '../types.js';
import { nodesOf } from '../verify/verifyNodes.js';
import { lookOnly } from './look-only.js';

/**
 * The API answers at its address from every host that can be asked, and the load balancer is as it should be. An API that
 * answers nobody is a finding of its own: with it the cluster is down, with any other one it serves.
 */
export const checkEndpoint = lookOnly(async (context) => {
  const work = loadBalancerWorkOf(context.cluster);
  const [{ faults, holders }, views] = await Promise.all([work.look(context), viewsOfApi(context)]);
  const seen = holders === undefined ? {} : { seen: { virtualIpHolders: holders } };
  const { found, hint } = work.health(context.cluster);
  const finding = (code: string, evidence: string): HealthFinding => ({ code, host: null, evidence, hint });
  const told = views.filter(({ facts }) => facts !== undefined);
  if (told.length === 0) {
    const evidence = `no host could be asked whether the API answers at ${endpointOf(context.cluster)}`;
    return { findings: [finding('KW681', evidence)], found, ...seen };
  }
  const findings = faults.map((evidence) => finding('KW482', evidence));
  if (told.some(answers)) return { findings, found, ...seen };
  const evidence = `the API does not answer at ${endpointOf(context.cluster)}, asked from ${listed(told)}`;
  return { findings: [finding('KW680', evidence), ...findings], found, ...seen };
});

/** In a healthy cluster one host says all that is to know; only where it does not, all of them are asked. */
async function viewsOfApi(context: StepContext): Promise<HostView[]> {
  const [first, ...others] = nodesOf(context.cluster);
  if (first === undefined) return [];
  const script = `${apiGetFunction(context.cluster)}fact api api_get /readyz`;
  const ask = (host: ClusterHost): Promise<HostView> => viewOf(context, host, script);
  const view = await ask(first);
  return answers(view) ? [view] : [view, ...(await onEachHost(others, ask))];
}

function answers({ facts }: HostView): boolean {
  return facts?.text('api') === 'ok';
}

function listed(views: HostView[]): string {
  const names = views.map(({ host }) => host.name);
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}
