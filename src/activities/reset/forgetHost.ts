import { OWNER_PATH } from '../../render/owner.js';
import { requireKnown } from '../answers.js';
import { BEFORE_DIRECTORY } from '../before/places.js';
import { LIVED_PATHS, OWN_FOLDERS } from '../node-leftovers.js';
import { hostOf } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { isAway, leftAlone } from './away.js';
import { recordOfOurs, requireRecord } from './ours.js';
import { OWNER_QUESTION } from './whose.js';

const STATE_FOLDER = '/var/lib/kubewright';

/**
 * Takes the last of Kubewright from a host: whose it was, what it was before, and the folders that are Kubewright's alone. What stays is
 * the lease, a small file that keeps a run which was overtaken from changing the host once more.
 */
export const forgetHost: StepImplementation = {
  async probe(context) {
    const host = hostOf(context);
    if (isAway(context, host.name)) return leftAlone(host);
    const facts = await gatherFacts(context.host, QUESTIONS, context.signal);
    recordOfOurs(context, host, facts);
    const there = facts.answer('there', 'no record is there');
    const known = requireKnown(there, `whether ${host.name} bears a record of the cluster`, host.name);
    if (known.is === 'no') return { done: true, found: 'it bears no record of a cluster', changes: [] };
    const node = facts.answer('node', 'no node is there');
    if (requireKnown(node, `whether a node is on ${host.name}`, host.name).is === 'yes') return notReset(host.name);
    return { done: false, found: 'it bears the record of the cluster', changes: [`remove ${OWN_FOLDERS.join(', ')}`] };
  },

  /** @throws KubewrightError KW407 when the host is not this cluster's any more */
  async apply(context: StepContext) {
    const { host, signal } = context;
    const facts = await gatherFacts(host, OWNER_QUESTION, signal);
    const record = recordOfOurs(context, hostOf(context), facts);
    await host.run(forgetScript(record), { signal, timeoutMs: 60_000 });
  },
};

const QUESTIONS = `${OWNER_QUESTION}ask there exists ${OWNER_PATH} ${BEFORE_DIRECTORY}
ask node exists ${LIVED_PATHS.join(' ')}
`;

/** A person has left its reset out: without its record nobody could give it back later. */
function notReset(name: string): Probe {
  const leftToDo = `give ${name} back, or wipe it before reuse: its reset was left out, and it keeps its record`;
  return { done: true, found: 'it keeps its record, for a node is still there', changes: [], data: { leftToDo } };
}

/**
 * Bash. The record goes last of what tells whose the host is. Exported for its test in a real bash.
 *
 * @param record as `recordOfOurs` gives it; undefined where the host bears none, as behind an attempt that was interrupted
 */
export function forgetScript(record: string | undefined): string {
  const others = OWN_FOLDERS.filter((folder) => folder !== STATE_FOLDER && !OWNER_PATH.startsWith(`${folder}/`));
  return `set -e
${record === undefined ? `[ ! -e ${OWNER_PATH} ]\n` : requireRecord(record)}rm -rf -- ${others.join(' ')}
find ${STATE_FOLDER}/ -mindepth 1 -maxdepth 1 ! -name 'lease*' ! -name before -exec rm -rf -- {} +
rm -rf -- ${OWNER_PATH.replace(/\/[^/]*$/, '')}
rm -rf -- ${BEFORE_DIRECTORY}
`;
}
