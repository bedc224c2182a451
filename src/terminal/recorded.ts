import type { StepProgress } from '../workflows/types.js';
import { plural, utcMinute } from './text.js';

/**
 * What a run has recorded as applied: version, hosts, when and by which Kubewright; undefined for one that has not come so
 * far. It is what that run found true at its end: what became of the cluster since then `kubewright plan` says.
 */
export function recordedSentence(steps: StepProgress[]): string | undefined {
  const data = steps.find(({ id, state }) => id === 'cluster/record' && state === 'done')?.data;
  if (data === undefined) return undefined;
  const { version, hosts, build, generation, at } = data;
  const when = typeof at === 'string' ? `, recorded ${utcMinute(Date.parse(at))} UTC` : '';
  return `Applied: Kubernetes ${version} on ${plural(Number(hosts), 'host')}, by kubewright ${build}${when} (generation ${generation}).`;
}
