import { listed } from '../../../../activities/prepare/checks/problem.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { awaitFaultless, waitOf, whatIsWrong } from '../../../../activities/verify/await-state.js';
import { apiServerPort } from '../../../../cluster/chosen-ports.js';
import { hostsOf } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { endpointOf } from '../../../../render/kubeadm.js';
import { lookUntil, notYet, seen } from '../../../../waiting.js';
import { type EndpointLook, lookThrough } from './look.js';

/** Balancers ask their servers every ten to thirty seconds, and want two or three good answers. */
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 1_000;

/** So long for a control plane that no connection leads to: after it there is a warning, for no answer to come may mean nothing. */
const UNSEEN_PATIENCE_MS = 30_000;

/**
 * Holds when the API answers every node through the external load balancer, with the certificate of one of this cluster's
 * control planes each time. That each of them is behind it shows only where the balancer spreads connections, so a control
 * plane that was not seen is a warning.
 */
export const verifyExternalEndpoint: StepImplementation = {
  async probe(context) {
    const { faults, unseen } = await lookAtAll(context);
    const wrong = whatIsWrong(faults);
    if (wrong.length > 0) return { done: false, found: wrong.join('; '), changes: ['wait for the endpoint'] };
    const endpoint = endpointOf(context.cluster);
    const all = hostsOf(context.cluster, 'control-plane').length;
    const warning = `no connection to ${endpoint} led to ${listed(unseen)}: see that the load balancer has it among its servers, unless it sends each client to one`;
    return {
      done: true,
      found: `the API answers on ${endpoint} from every node; ${all - unseen.length} of ${all} control planes were seen behind it`,
      changes: [],
      warnings: unseen.length === 0 ? [] : [warning],
    };
  },

  async apply(context) {
    const faults = await awaitFaultless(
      context,
      'whether every node reaches the API there',
      async () => (await lookThrough(context)).faults,
      { patienceMs: PATIENCE_MS, everyMs: LOOK_EVERY_MS },
    );
    if (faults.length === 0) return;
    throw new KubewrightError('KW482', `the endpoint is not as it should be: ${faults.join('; ')}`, {
      hint: `Look at the load balancer: it has to pass TCP on to port ${apiServerPort(context.cluster)} of every control plane, and of nothing else, also for connections that come from these hosts themselves. Then retry the step.`,
    });
  },
};

/** What is wrong with the endpoint as hosts see it that can be asked. */
export async function endpointFaults(context: StepContext): Promise<string[]> {
  return (await lookThrough(context)).seen;
}

/** Looks again while nothing is wrong but a control plane was not seen: its server may still be new to the balancer. */
async function lookAtAll(context: StepContext): Promise<EndpointLook> {
  let last = await lookThrough(context);
  const isOver = ({ faults, unseen }: EndpointLook) => unseen.length === 0 || whatIsWrong(faults).length > 0;
  if (isOver(last)) return last;
  const look = async () => {
    last = await lookThrough(context);
    return isOver(last) ? seen(true) : notYet(`waiting for connections that lead to ${listed(last.unseen)}`);
  };
  await lookUntil(look, { patienceMs: UNSEEN_PATIENCE_MS, everyMs: LOOK_EVERY_MS, ...waitOf(context) });
  return last;
}
