import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { OWNER_PATH } from '../../render/owner.js';
import { BEFORE_STATE } from '../before/places.js';
import { stateFunction } from '../before/state-script.js';
import { hostOf } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { isAway, leftAlone } from './away.js';
import { type Difference, differencesOf, explained } from './differences.js';

/** A host with thousands of packages and a slow disk takes a while. */
const COMPARE_MS = 120_000;

/** So many differences are told in full; the others are counted. */
const NAMED = 12;

/** Compares a host that was given back with what it was before the first change. Changes nothing. */
export const compareHost: StepImplementation = {
  withoutLease: true,

  async probe(context) {
    const host = hostOf(context);
    if (isAway(context, host.name)) return leftAlone(host);
    const script = compareQuestions(context.cluster, host);
    const facts = await gatherFacts(context.host, script, context.signal, { timeoutMs: COMPARE_MS });
    const nothing = 'nothing of the cluster was on it';
    if (!facts.holds('owner')) return { done: true, found: nothing, changes: [], data: { differences: 0 } };
    if (facts.text('before') !== 'there') return unwritten(host.name);
    return judged(context, differencesOf(facts.rows('appeared'), facts.rows('gone')));
  },

  async apply() {
    // Nothing is asked of a person: what differs is told.
  },
};

/** Bash. Both lists are sorted by bytes, which `comm` needs. Exported for its test in a real bash. */
export function compareQuestions(cluster: Cluster, host: ClusterHost): string {
  return `shopt -s nullglob
export LC_ALL=C
${stateFunction(cluster, host)}there() { [ -s ${BEFORE_STATE} ] && echo there; }
fact owner test -e ${OWNER_PATH}
fact before there
if [ -s ${BEFORE_STATE} ]; then
  now=$(state)
  while IFS=$'\\t' read -r kind name value; do row appeared "$kind" "$name" "$value"; done < <(comm -13 ${BEFORE_STATE} - <<<"$now")
  while IFS=$'\\t' read -r kind name value; do row gone "$kind" "$name" "$value"; done < <(comm -23 ${BEFORE_STATE} - <<<"$now")
fi
`;
}

function unwritten(name: string): Probe {
  const found = 'what it was before is written down nowhere, so there is nothing to compare it with';
  const leftToDo = `look at ${name} yourself: it was installed before Kubewright wrote down what a host was`;
  return { done: true, found, changes: [], data: { leftToDo } };
}

function judged(context: StepContext, all: Difference[]): Probe {
  const { name } = hostOf(context);
  const reasons = all.map((difference) => ({ difference, why: explained(difference, context.cluster) }));
  const open = reasons.flatMap(({ difference, why }) => (why === undefined ? [wordsOf(difference)] : []));
  const known = [...new Set(reasons.flatMap(({ why }) => (why === undefined ? [] : [why])))];
  const stays = known.length === 0 ? '' : `; what differs and why: ${known.join('; ')}`;
  if (open.length === 0)
    return { done: true, found: `it is as it was before${stays}`, changes: [], data: { differences: 0 } };
  const more = open.length > NAMED ? ` and ${open.length - NAMED} more` : '';
  const told = `${open.slice(0, NAMED).join(', ')}${more}`;
  return {
    done: true,
    found: `it differs from what it was: ${told}${stays}`,
    changes: [],
    data: {
      differences: open.length,
      leftToDo: `look at ${name}: it differs from what it was before (${told})`.slice(0, 1_500),
    },
  };
}

function wordsOf({ kind, name, before, now }: Difference): string {
  if (now === undefined) return `${kind} ${name} is gone`;
  if (before === undefined) return `${kind} ${name} is new`;
  return `${kind} ${name} was ${before || 'there'} and is ${now || 'there'}`;
}
