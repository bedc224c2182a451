import { artifactWorkOf, podNetworkWorkOf } from '../../components/registry/work.js';
import { publishedFor } from '../artifacts.js';
import { findControlPlane } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import type { Problem } from './checks/problem.js';

const OVERRULE =
  'Where the cluster has its pod network already and its API does not answer, preflight.ignore takes the code: the step of the network tells again what it needs.';

/**
 * What no host can have, for the worker does not get it. A cluster that has its pod network lives without: there it is only told, so
 * that the cluster can be mended.
 */
export async function unavailableArtifacts(context: StepContext): Promise<Problem[]> {
  const { cluster } = context;
  const problems = await artifactWorkOf(cluster).unavailable(publishedFor(cluster));
  if (problems.length === 0) return [];
  if (!(await hasNetwork(context))) return problems.map((each) => ({ ...each, hint: `${each.hint} ${OVERRULE}` }));
  return problems.map((each) => ({ ...each, severity: 'warning' }));
}

/** Whether the cluster says that it has the chosen pod network. One that cannot be asked does not. */
async function hasNetwork(context: StepContext): Promise<boolean> {
  const via = await findControlPlane(context);
  if (via === undefined) return false;
  const question = podNetworkWorkOf(context.cluster).trace(via.kubectl);
  const facts = await gatherFacts(via.remote, `ask network ${question}`, context.signal);
  const answer = facts.answer('network', 'it has none');
  return answer.is === 'yes' && answer.value !== '';
}
