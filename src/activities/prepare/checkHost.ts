import type { Bundle } from '../../bundle/bundle.js';
import { isKubewrightError } from '../../errors.js';
import { anyBundleFor } from '../artifacts.js';
import { fileProblems } from '../control-plane-files/problems.js';
import type { StepContext, StepImplementation } from '../types.js';
import { bySeverity, described, type Problem, preflightError, problemsOf } from './checks/index.js';
import { overrule } from './checks/overrule.js';
import { gatherHostFacts, type HostFacts, questionsFor } from './facts/index.js';
import { architectureOf, hostOf } from './target.js';

/**
 * Judges one host before anything is changed on any: what stands in the way is found all at once, and a host that belongs
 * to another cluster is left alone. Nothing is applied; `apply` only tells what a person has to mend.
 */
export const checkHost: StepImplementation = {
  withoutLease: true,

  async probe(context) {
    const { facts, errors, warnings } = await look(context);
    return {
      done: errors.length === 0,
      found: errors.length === 0 ? portrayed(facts) : `${errors.length} problem(s)`,
      changes: errors.map(described),
      warnings: warnings.map(described),
      ...(errors.length > 0 ? { problem: preflightError(errors, context.host.name) } : {}),
    };
  },

  async apply(context) {
    // Asked again, for a person may have mended it meanwhile.
    const { errors } = await look(context);
    if (errors.length > 0) throw preflightError(errors, context.host.name);
  },
};

interface Look {
  facts: HostFacts;
  errors: Problem[];
  warnings: Problem[];
}

async function look(context: StepContext): Promise<Look> {
  const { cluster, signal, writer } = context;
  const host = hostOf(context);
  const facts = await gatherHostFacts(context.host, questionsFor(cluster, host), signal);
  const bundle = await findBundle(context, facts);
  const problems = [
    ...problemsOf({ cluster, host, facts, writer }, bundle.found),
    ...bundle.problems,
    ...(await fileProblems(context)),
  ];
  const ofHost = problems.map((problem) => ({ ...problem, host: host.name }));
  return { facts, ...bySeverity(overrule(cluster, ofHost)) };
}

/** The bundle that goes onto this host; where it is missing, that is a problem like any other. Other sources have none. */
async function findBundle(
  { cluster }: StepContext,
  facts: HostFacts,
): Promise<{ found: Bundle | undefined; problems: Problem[] }> {
  const architecture = architectureOf(facts.kernel.machine);
  if (architecture === undefined) return { found: undefined, problems: [] };
  try {
    return { found: await anyBundleFor(cluster, architecture), problems: [] };
  } catch (error) {
    if (!isKubewrightError(error)) throw error;
    return { found: undefined, problems: [{ code: error.code, what: error.message, hint: error.hint ?? '' }] };
  }
}

function portrayed(facts: HostFacts): string {
  const memory = Math.round(facts.memoryTotalKiB / 1024 / 1024);
  const owned = facts.owner === undefined ? '' : ', belongs to this cluster';
  const swap = facts.swaps.length === 0 ? '' : ', swap is on';
  return `${facts.os.prettyName}, ${architectureOf(facts.kernel.machine)}, ${facts.cpus} CPUs, ${memory} GiB, cgroup v${facts.cgroupVersion}${swap}${owned}`;
}
