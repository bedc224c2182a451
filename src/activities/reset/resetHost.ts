import type { ClusterHost } from '../../cluster/types.js';
import { type Answer, requireKnown } from '../answers.js';
import { namedFence, takeFence } from '../fence.js';
import { listed } from '../prepare/checks/problem.js';
import { hostOf } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { isAway, leftAlone } from './away.js';
import { recordOfOurs } from './ours.js';
import { leftFunction } from './undo/files.js';
import { undoScript } from './undo/script.js';
import { WORDS } from './undo/words.js';
import { OWNER_QUESTION } from './whose.js';

/** Names of things that are told; the others are counted. */
const NAMED = 8;

/**
 * Stops what runs on a host for the cluster, and takes away what Kubewright and the cluster put there; what stood in its place comes back.
 * The record of whose the host is stays until it was compared.
 */
export const resetHost: StepImplementation = {
  async probe(context) {
    const host = hostOf(context);
    if (isAway(context, host.name)) return leftAlone(host);
    const { record, left, kubelet } = await look(context, host);
    // What no record claims is nobody's to take away: the preflight has refused a node without one.
    if (record === undefined) return { done: true, found: 'nothing of the cluster is on it', changes: [] };
    const there = requireKnown(left, `what is left on ${host.name}`, host.name);
    const runs = requireKnown(kubelet, `whether a kubelet runs on ${host.name}`, host.name);
    return probeOf(there.is === 'yes' ? there.value.split('\n') : [], runs.is === 'yes');
  },

  /** @throws KubewrightError KW407 when the host is not this cluster's any more, KW431 when it did not come to its end */
  async apply(context) {
    const host = hostOf(context);
    // Before anything is taken away: what an attempt that was overtaken would still do ends here.
    await takeFence(context);
    const { record } = await look(context, host);
    if (record === undefined) return;
    await context.durable('undo', undoScript(context.cluster, host, record), {
      guard: namedFence(context),
      timeoutSeconds: 2_100,
      hint: 'The last lines of its output say what is in the way. Nothing is taken from a folder below which something is still mounted: end what uses it (`fuser -vm PATH`), then retry the step. It goes on where it stood.',
    });
  },
};

interface Look {
  /** By which it is this cluster's; undefined where it bears none. */
  record: string | undefined;
  left: Answer<string>;
  kubelet: Answer<string>;
}

async function look(context: StepContext, host: ClusterHost): Promise<Look> {
  const script = `${WORDS}${leftFunction(context.cluster)}${OWNER_QUESTION}
ask left left
ask kubelet runs kubelet.service
`;
  const facts = await gatherFacts(context.host, script, context.signal);
  return {
    record: recordOfOurs(context, host, facts),
    left: facts.answer('left', 'nothing of ours is there'),
    kubelet: facts.answer('kubelet', 'no kubelet runs'),
  };
}

function probeOf(left: string[], runs: boolean): Probe {
  if (left.length === 0 && !runs) {
    return { done: true, found: 'what Kubewright put there is gone, and what stood in its place is back', changes: [] };
  }
  const more = left.length > NAMED ? [`${left.length - NAMED} more`] : [];
  const changes = [
    ...(runs ? ['stop the kubelet, the pods and what else runs for the cluster'] : []),
    ...(left.length > 0 ? [`take away ${listed([...left.slice(0, NAMED), ...more])}`] : []),
  ];
  return {
    done: false,
    found: runs ? 'it is at work for the cluster' : `${left.length} things are left there`,
    changes,
  };
}
