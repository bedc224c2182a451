import { KubewrightError } from '../../errors.js';
import { planDrill, possibleScenarios } from '../../plan/drill.js';
import type { RunInput } from '../../plan/run.js';
import type { DrillRequest, SkippedDrill } from '../../plan/scheduled-drill.js';
import { prepareRun } from '../../prepare-run.js';
import { lastApplied, type Surroundings } from '../check/prepareCheck.js';

/**
 * Plans a scheduled drill from what was applied last, as the control planes say. Where they cannot say, nothing is broken: by hand a
 * person knows what they drill, at night nobody does.
 *
 * @throws KubewrightError KW679 where what was applied is not known, KW670 where what was asked for is not possible with it any more
 */
export async function prepareDrill(
  { known, searchAttributes, options }: DrillRequest,
  { hosts, readBackground, signal }: Surroundings,
): Promise<RunInput | SkippedDrill> {
  const { during } = await readBackground(known.name, 'deep');
  if (during !== undefined) return { skipped: during };
  const { cluster, unknown } = await lastApplied(known, hosts, signal);
  if (unknown !== undefined) {
    throw new KubewrightError('KW679', `${known.name} is not drilled: ${unknown}`, {
      hint: 'Nothing was broken. `kubewright health` says how the cluster is; `kubewright install cluster.yaml` writes the record anew.',
    });
  }
  possibleScenarios(cluster, options);
  return { ...prepareRun('drill', cluster, planDrill(cluster, options)), searchAttributes };
}
