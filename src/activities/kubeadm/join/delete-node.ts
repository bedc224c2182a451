import type { ClusterHost } from '../../../cluster/types.js';
import { KubewrightError } from '../../../errors.js';
import { quote } from '../../../hosts/shell.js';
import { lookUntil, notYet, seen } from '../../../waiting.js';
import { type No, requireKnown } from '../../answers.js';
import { requireFence } from '../../fence.js';
import { gatherFacts } from '../../remote-facts.js';
import type { StepContext } from '../../types.js';
import { waitOf } from '../../verify/await-state.js';
import type { ReadyControlPlane } from '../control-plane.js';
import { type NodeObject, nodeIn, nodeQuestion } from '../node/node-object.js';

/**
 * A node whose kubelet is gone stays Ready for as long as the controller manager waits for its lease (50 s by default,
 * kube-controller-manager's --node-monitor-grace-period), and for the next look (5 s).
 */
const GRACE_MS = 120_000;
const POLL_MS = 2_000;

/**
 * Deletes the node object that a former self of the host left. Exactly that one: the API server compares its UID, so one
 * that was registered meanwhile stays.
 *
 * @param permit that the host is no member of the cluster
 * @param blank whether nothing of a cluster is on the host. Then the node is a former self's, and not deleted while a
 * kubelet keeps it Ready
 * @throws KubewrightError KW436 when a kubelet elsewhere keeps the node Ready, KW433 and KW439 (transient)
 */
export async function deleteNode(
  context: StepContext,
  via: ReadyControlPlane,
  { host, permit, blank }: { host: ClusterHost; permit: No; blank: boolean },
): Promise<void> {
  const look = async () => {
    const node = await lookAtFormerNode(context, via, host);
    if (node === undefined) return seen(true);
    if (blank && node.ready) return notYet(`waiting until the cluster notices that the former ${host.name} is gone`);
    context.progress(`deleting the former node ${host.name}: ${permit.evidence}`);
    await requireFence(context);
    await via.remote.run(deletionScript(via.kubectl, host, node.uid), { signal: context.signal });
    return seen(true);
  };
  const gone = await lookUntil(look, { patienceMs: GRACE_MS, everyMs: POLL_MS, ...waitOf(context) });
  if (gone === undefined) throw livesElsewhere(host);
}

async function lookAtFormerNode(
  context: StepContext,
  via: ReadyControlPlane,
  host: ClusterHost,
): Promise<NodeObject | undefined> {
  const facts = await gatherFacts(via.remote, `${nodeQuestion(via.kubectl, host)}ask node node_object`, context.signal);
  const node = requireKnown(nodeIn(facts, host), `whether there is a node ${host.name}`, via.host.name);
  return node.is === 'yes' ? node.value : undefined;
}

/** Bash. Exported for its test with a real kubectl. */
export function deletionScript(kubectl: string, host: Pick<ClusterHost, 'name'>, uid: string): string {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } });
  return `printf %s ${quote(body)} | ${kubectl} delete --raw ${quote(`/api/v1/nodes/${host.name}`)} -f - >/dev/null
`;
}

function livesElsewhere(host: ClusterHost): KubewrightError {
  return new KubewrightError('KW436', `a kubelet that is not on this host keeps the node ${host.name} Ready`, {
    host: host.name,
    hint: `Nothing of a cluster is on ${host.address}. Find out which machine registers as ${host.name} (\`kubectl get node ${host.name} -o wide\`) and correct cluster.yaml, or take that machine out of the cluster; then retry the step.`,
  });
}
