import { isKubewrightError, messageOf } from '../../errors.js';
import { onEachHost } from '../each-host.js';
import { requireControlPlane } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { STOP_ASKING } from './ask-program.js';
import { ASKING_UNIT, BOOK } from './book.js';
import { possibleProbers } from './choose.js';
import { handedOn } from './chosen.js';
import { ifReached } from './if-reached.js';
import { deleteObjects, listObjects } from './objects.js';

/**
 * Ends the questions, and takes away all that was made for them, on every host that could ask and in the cluster: an attempt that died may
 * have begun on another one. A host that cannot be asked ends them by itself within the hour.
 */
export const endProbes: StepImplementation = {
  async probe(context) {
    const leftOut = handedOn(context, 'ask')?.left;
    if (typeof leftOut === 'string') return { done: true, found: leftOut, changes: [] };
    const hosts = await onEachHost(possibleProbers(context.cluster), async ({ name }) => ({
      name,
      ...(await leftOn(context, name)),
    }));
    const asking = hosts.filter(({ left }) => left).map(({ name }) => name);
    const objects = await objectsLeft(context);
    const warnings = hosts.flatMap(({ name, why }) =>
      why === undefined ? [] : [`${name} could not be asked (${why}): what asks there ends by itself within the hour`],
    );
    const rest = [...asking.map((name) => `something asks on ${name}`), ...(objects === '' ? [] : [objects])];
    if (rest.length === 0) return { done: true, found: 'nobody asks any more', changes: [], warnings };
    return { done: false, found: rest.join('; '), changes: ['end the questions'], warnings };
  },

  async apply(context) {
    const { signal } = context;
    await onEachHost(possibleProbers(context.cluster), ({ name }) =>
      ifReached(context, () => context.hostNamed(name).run(STOP_ASKING, { signal })),
    );
    const via = await requireControlPlane(context);
    await via.remote.run(deleteObjects(via.kubectl), { signal, timeoutMs: 90_000 });
  },
};

async function leftOn(context: StepContext, name: string): Promise<{ left: boolean; why?: string }> {
  try {
    const script = `fact book test -e ${BOOK}\nfact unit systemctl is-active --quiet ${ASKING_UNIT}.service`;
    const facts = await gatherFacts(context.hostNamed(name), script, context.signal);
    return { left: facts.holds('book') || facts.holds('unit') };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!isKubewrightError(error) || !error.transient) throw error;
    return { left: false, why: messageOf(error) };
  }
}

/** What is left of it in the cluster. @throws KubewrightError KW464, or KW437, (transient) when that cannot be told */
async function objectsLeft(context: StepContext): Promise<string> {
  const via = await requireControlPlane(context);
  const said = await via.remote.run(listObjects(via.kubectl), { signal: context.signal, timeoutMs: 60_000 });
  return said.stdout.trim().split('\n').filter(Boolean).join(', ');
}
