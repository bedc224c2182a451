import { quote } from '../../hosts/shell.js';
import { yes } from '../answers.js';
import type { ReadyControlPlane } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { awaitFaultless, type Faults } from './await-state.js';

/** A node that has just joined is Ready when its network is up, which takes seconds. */
const PATIENCE_MS = 150_000;
const LOOK_EVERY_MS = 1_000;

/** Of each node: whether it is Ready, and `true` where it is cordoned. */
const LINES =
  '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\t"}{.spec.unschedulable}{"\\n"}{end}';

/**
 * Waits until so many nodes take pods. When they do not come it goes on: what is missing then is told by the step itself.
 *
 * @param least how many nodes
 */
export async function awaitPlaces(context: StepContext, via: ReadyControlPlane, least: number): Promise<void> {
  const script = `ask nodes ${via.kubectl} get nodes -o ${quote(`jsonpath=${LINES}`)}`;
  const lacking = async (): Promise<Faults> => {
    const facts = await gatherFacts(via.remote, script, context.signal);
    const nodes = facts.answer('nodes', 'there are no nodes');
    if (nodes.is === 'unknown') return nodes;
    const lines = nodes.is === 'yes' ? nodes.value.split('\n') : [];
    const ready = lines.filter((line) => line.trim() === 'True').length;
    return yes(ready >= least ? [] : [`${ready} of ${least} nodes take pods`]);
  };
  await awaitFaultless(context, 'how many nodes take pods', lacking, {
    patienceMs: PATIENCE_MS,
    everyMs: LOOK_EVERY_MS,
  });
}
