import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { requireKnown } from '../answers.js';
import { type ReadyControlPlane, requireControlPlane } from '../kubeadm/control-plane.js';
import { nodeIn, nodeQuestion } from '../kubeadm/node/node-object.js';
import { hostOf } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { isAway } from './away.js';
import { CORDONED_BY } from './uncordonNode.js';

/** As long as Cluster API's users give a drain; a budget of disruptions may hold it up for ever. */
const DRAIN_SECONDS = 600;

/**
 * Moves the pods of a node to others, as `kubectl drain` does it: budgets of disruptions are kept, and a pod that nobody would make
 * anew stops it. Data in `emptyDir` volumes goes with the pods.
 */
export const drainNode: StepImplementation = {
  async probe(context) {
    const { name } = hostOf(context);
    if (isAway(context, name)) {
      return {
        done: true,
        found: `${name} cannot be reached: the cluster makes its pods anew when the node is gone`,
        changes: [],
      };
    }
    return look(context, await requireControlPlane(context, hostOf(context)));
  },

  /** @throws KubewrightError KW402 when pods are left */
  async apply(context) {
    const host = hostOf(context);
    const via = await requireControlPlane(context, host);
    try {
      await context.durable('drain', drainScript(via.kubectl, host.name), {
        host: via.remote,
        timeoutSeconds: DRAIN_SECONDS + 60,
      });
    } catch (error) {
      throw explained(error, host.name);
    }
  },
};

/**
 * Bash. Exported for its test. The request timeout is kubectl's for each call, and none for the whole. A node that a person has cordoned
 * gets no mark, and stays cordoned whatever becomes of the reset.
 */
export function drainScript(kubectl: string, name: string): string {
  return `cordoned=$(${kubectl} get node ${quote(name)} -o 'jsonpath={.spec.unschedulable}')
[ "$cordoned" = true ] || ${kubectl} annotate --overwrite node ${quote(name)} ${CORDONED_BY}=reset >/dev/null
${kubectl} drain ${quote(name)} --ignore-daemonsets --delete-emptydir-data --timeout=${DRAIN_SECONDS}s
`;
}

async function look(context: StepContext, via: ReadyControlPlane): Promise<Probe> {
  const host = hostOf(context);
  const pods = `pods() { ${via.kubectl} get pods --all-namespaces --field-selector=spec.nodeName=${host.name} -o 'jsonpath={range .items[*]}{.metadata.ownerReferences[0].kind}{" "}{.status.phase}{" "}{.metadata.namespace}/{.metadata.name}{"\\n"}{end}'; }\n`;
  const script = `${nodeQuestion(via.kubectl, host)}${pods}unschedulable() { ${via.kubectl} get node ${host.name} -o 'jsonpath={.spec.unschedulable}'; }
ask node node_object
ask pods pods
ask cordoned unschedulable
`;
  const facts = await gatherFacts(via.remote, script, context.signal);
  const node = requireKnown(nodeIn(facts, host), `whether there is a node ${host.name}`, via.host.name);
  if (node.is === 'no') return { done: true, found: 'the cluster has no such node', changes: [] };
  const listed = requireKnown(facts.answer('pods', ''), `which pods are on ${host.name}`, via.host.name);
  const cordoned = requireKnown(facts.answer('cordoned', ''), `whether ${host.name} takes pods`, via.host.name);
  const left = listed.is === 'yes' ? podsToMove(listed.value) : [];
  if (left.length === 0 && cordoned.is === 'yes' && cordoned.value === 'true') {
    return { done: true, found: 'no pods are left there that belong elsewhere', changes: [] };
  }
  return { done: false, found: `${left.length} pods are there`, changes: [`move ${left.length} pods to other hosts`] };
}

/** Pods of DaemonSets and static ones belong to the host, and those that have ended need no host. Pure. */
export function podsToMove(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, kind = '', phase = '', name] = /^(\S*) (\S*) (\S+)$/.exec(line) ?? [];
    if (name === undefined || kind === 'DaemonSet' || kind === 'Node') return [];
    return phase === 'Succeeded' || phase === 'Failed' ? [] : [name];
  });
}

function explained(error: unknown, name: string): unknown {
  if (!(error instanceof KubewrightError) || error.code !== 'KW431') return error;
  return new KubewrightError('KW402', `not all pods could be moved off ${name}`, {
    host: name,
    output: error.output,
    hint: `The last lines say which and why: a budget of disruptions that allows none, or a pod that nobody makes anew. Mend that and retry the step, or abort, and give the host back without moving its pods: \`kubewright reset cluster.yaml --host ${name} --no-drain\`.`,
    cause: error,
  });
}
