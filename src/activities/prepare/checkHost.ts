import type { Bundle } from '../../bundle/bundle.js';
import { isKubewrightError } from '../../errors.js';
import type { StepContext, StepImplementation } from '../types.js';
import { type Problem, preflightError, problemsOf } from './checks/index.js';
import { gatherHostFacts, type HostFacts } from './facts/index.js';
import { architectureOf, bundleFor, hostOf } from './target.js';

/**
 * Judges one host before anything is changed on any: what stands in the way is found all at once, and a host that belongs
 * to another cluster is left alone. Nothing is applied; `apply` only tells what a person has to mend.
 */
export const checkHost: StepImplementation = {
  async probe(context) {
    const { facts, problems } = await look(context);
    return {
      done: problems.length === 0,
      found: problems.length === 0 ? described(facts) : `${problems.length} problem(s)`,
      changes: problems.map(({ code, what, hint }) => `${code}: ${what}. ${hint}`),
    };
  },

  async apply(context) {
    // Asked again, for a person may have mended it meanwhile.
    const { problems } = await look(context);
    if (problems.length > 0) throw preflightError(problems, context.host.name);
  },
};

async function look(context: StepContext): Promise<{ facts: HostFacts; problems: Problem[] }> {
  const { cluster, signal } = context;
  const facts = await gatherHostFacts(context.host, signal);
  const bundle = await findBundle(context, facts);
  const problems = problemsOf({ cluster, host: hostOf(context), facts }, bundle.found);
  return { facts, problems: [...problems, ...bundle.problems] };
}

/** The bundle that goes onto this host; without one, that is a problem like any other. */
async function findBundle(
  { cluster }: StepContext,
  facts: HostFacts,
): Promise<{ found: Bundle | undefined; problems: Problem[] }> {
  const architecture = architectureOf(facts.kernel.machine);
  if (architecture === undefined) return { found: undefined, problems: [] };
  try {
    return { found: await bundleFor(cluster, architecture), problems: [] };
  } catch (error) {
    if (!isKubewrightError(error)) throw error;
    return { found: undefined, problems: [{ code: error.code, what: error.message, hint: error.hint ?? '' }] };
  }
}

function described(facts: HostFacts): string {
  const memory = Math.round(facts.memoryTotalKiB / 1024 / 1024);
  const owned = facts.owner === undefined ? '' : ', belongs to this cluster';
  const swap = facts.swaps.length === 0 ? '' : ', swap is on';
  return `${facts.os.prettyName}, ${architectureOf(facts.kernel.machine)}, ${facts.cpus} CPUs, ${memory} GiB, cgroup v${facts.cgroupVersion}${swap}${owned}`;
}
