import { KubewrightError } from '../../errors.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { no, requireKnown } from '../answers.js';
import { type ReadyControlPlane, requireControlPlane } from '../kubeadm/control-plane.js';
import { deletionScript } from '../kubeadm/join/delete-node.js';
import { type NodeObject, nodeIn, nodeQuestion } from '../kubeadm/node/node-object.js';
import { hostOf } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { waitOf } from '../verify/await-state.js';
import { isAway } from './away.js';

/**
 * As long as the controller manager waits for a kubelet that is gone (50 s by default), and for its next look (5 s), with as much again
 * for a busy machine.
 */
const GRACE_MS = 120_000;
const POLL_MS = 2_000;

/**
 * Deletes the node object of the step's host, exactly the one that is there: the API server compares its UID. Not while a kubelet keeps
 * it Ready: of a host that cannot be reached nobody knows whether it still works, and its kubelet would register it again.
 */
export const removeNode: StepImplementation = {
  async probe(context) {
    const host = hostOf(context);
    const node = await look(context, await requireControlPlane(context, host));
    if (node === undefined) return { done: true, found: `the cluster has no node ${host.name}`, changes: [] };
    return { done: false, found: `the node ${host.name} is there`, changes: [`delete the node ${host.name}`] };
  },

  /** @throws KubewrightError KW404 when its kubelet is still at work */
  async apply(context) {
    const host = hostOf(context);
    const via = await requireControlPlane(context, host);
    const wait = async () => {
      const node = await look(context, via);
      if (node === undefined) return seen(true);
      if (node.ready) return notYet(`waiting until the cluster notices that the kubelet of ${host.name} is gone`);
      const permit = no(`the cluster says that the kubelet of ${host.name} does not report any more`);
      context.progress(`deleting the node ${host.name}: ${permit.evidence}`);
      await via.remote.run(deletionScript(via.kubectl, host, node.uid), { signal: context.signal });
      return seen(true);
    };
    const gone = await lookUntil(wait, { patienceMs: GRACE_MS, everyMs: POLL_MS, ...waitOf(context) });
    if (gone === undefined) throw livesOn(context);
  },
};

async function look(context: StepContext, via: ReadyControlPlane): Promise<NodeObject | undefined> {
  const host = hostOf(context);
  const facts = await gatherFacts(via.remote, `${nodeQuestion(via.kubectl, host)}ask node node_object`, context.signal);
  const node = requireKnown(nodeIn(facts, host), `whether there is a node ${host.name}`, via.host.name);
  return node.is === 'yes' ? node.value : undefined;
}

function livesOn(context: StepContext): KubewrightError {
  const { name, address } = hostOf(context);
  const away = isAway(context, name);
  const what = away
    ? `${name} cannot be reached from here, and its kubelet is at work: the node is Ready`
    : `a kubelet keeps the node ${name} Ready, and it is not the one of ${address}`;
  const hint = away
    ? 'Bring the way to it back (`kubewright ssh-check`), or switch the machine off; then abort, and start the reset anew. A node whose kubelet works would be registered again.'
    : `Find out which machine registers as ${name} (\`kubectl get node ${name} -o wide\`), and stop its kubelet; then retry the step.`;
  return new KubewrightError('KW404', what, { host: name, hint });
}
