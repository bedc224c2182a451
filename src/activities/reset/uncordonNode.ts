import { quote } from '../../hosts/shell.js';
import { requireKnown } from '../answers.js';
import { findControlPlane } from '../kubeadm/control-plane.js';
import { nodeIn, nodeQuestion } from '../kubeadm/node/node-object.js';
import { hostOf } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepImplementation } from '../types.js';

/** Tells a node that a reset has cordoned from one that a person has: only the former is put back. */
export const CORDONED_BY = 'kubewright.dev/cordoned-by';

/**
 * Lets a node take pods again whose reset came to no end behind the drain. Where the reset went through there is no such node any more,
 * and nothing is done.
 */
export const uncordonNode: StepImplementation = {
  async probe(context) {
    const host = hostOf(context);
    const via = await findControlPlane(context);
    if (via === undefined) return { done: true, found: 'no control plane is ready that could be asked', changes: [] };
    const annotation = CORDONED_BY.replaceAll('.', '\\.');
    const jsonpath = quote(`jsonpath={.metadata.annotations.${annotation}}`);
    const script = `${nodeQuestion(via.kubectl, host)}cordoned_by() { ${via.kubectl} get node ${quote(host.name)} -o ${jsonpath}; }
ask node node_object
ask cordoned cordoned_by
`;
    const facts = await gatherFacts(via.remote, script, context.signal);
    const node = requireKnown(nodeIn(facts, host), `whether there is a node ${host.name}`, via.host.name);
    if (node.is === 'no') return { done: true, found: 'the cluster has no such node any more', changes: [] };
    const by = requireKnown(facts.answer('cordoned', ''), `who has cordoned ${host.name}`, via.host.name);
    if (by.is !== 'yes' || by.value === '') {
      return { done: true, found: 'it takes pods, or a person has cordoned it', changes: [] };
    }
    return { done: false, found: 'it takes no pods since its drain', changes: [`let ${host.name} take pods again`] };
  },

  async apply(context) {
    const { name } = hostOf(context);
    const via = await findControlPlane(context);
    if (via === undefined) return;
    await via.remote.run(uncordonScript(via.kubectl, name), { signal: context.signal });
  },
};

/** Bash. The mark goes last, so that an attempt that ends between is repeated. */
function uncordonScript(kubectl: string, name: string): string {
  return `${kubectl} uncordon ${quote(name)} >/dev/null || exit 1
${kubectl} annotate node ${quote(name)} ${CORDONED_BY}- >/dev/null || exit 1
`;
}
