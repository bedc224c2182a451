import type { Cluster } from '../../../cluster/types.js';
import type { Problem } from './problem.js';

/**
 * Why a person has overruled a finding, or undefined when nobody has. A check leaves out the hosts that `spec.preflight.ignore`
 * names: a finding about one host falls with that host, one about several when at most one of them is left.
 *
 * @param hosts names of the hosts that the finding is about; none where it is about the machine that runs the worker, which
 * only an entry for all hosts covers
 */
export function reasonFor(
  { preflight }: Pick<Cluster, 'preflight'>,
  code: string,
  hosts: string[],
): string | undefined {
  const entries = preflight.ignore.filter((entry) => entry.code === code);
  const forAll = entries.find((entry) => entry.hosts === null);
  if (forAll !== undefined) return forAll.reason;
  const ofThese = entries.filter((entry) => entry.hosts?.some((name) => hosts.includes(name)));
  const left = hosts.filter((name) => !ofThese.some((entry) => entry.hosts?.includes(name)));
  if (ofThese.length === 0 || left.length > (hosts.length === 1 ? 0 : 1)) return undefined;
  return ofThese.map(({ reason }) => reason).join('; ');
}

/** Marks the problems that a person has overruled, which are then told like a warning. Nothing is overruled silently. */
export function overrule(cluster: Pick<Cluster, 'preflight'>, problems: Problem[]): Problem[] {
  return problems.map((problem) => {
    const about = problem.hosts ?? (problem.host === undefined ? [] : [problem.host]);
    const overruled = reasonFor(cluster, problem.code, about);
    return overruled === undefined ? problem : { ...problem, overruled };
  });
}
