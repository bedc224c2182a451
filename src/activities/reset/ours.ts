import type { ClusterHost } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { OWNER_PATH } from '../../render/owner.js';
import { requireKnown } from '../answers.js';
import type { Facts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { authorityFound } from './away.js';
import { foreignRecord, ownerOf } from './whose.js';

/** Exit code of a script that finds another record on the host than the one that was judged. */
const NOT_OURS = 66;

/**
 * Text of the record by which a host is this cluster's, asked right before something is taken from it: the host may have been replaced, or
 * another cluster may have taken it, since the preflight. The record alone says so, by the rule of the preflight and against the authority
 * found there: what else is on the disk changes while the host is given back.
 *
 * @param facts answer to `OWNER_QUESTION`
 * @returns undefined where the host says itself that it bears no record
 * @throws KubewrightError KW407 when it is not this cluster's any more; KW433 (transient) when that cannot be told
 */
export function recordOfOurs(context: StepContext, host: ClusterHost, facts: Facts): string | undefined {
  const owner = requireKnown(ownerOf(host, facts), `whether ${host.name} is of this cluster`, host.name);
  if (owner.is === 'no') return undefined;
  const problem = foreignRecord(host, owner.value, context.wholeCluster, authorityFound(context));
  if (problem === undefined) return facts.text('owner');
  throw new KubewrightError('KW407', problem.what, {
    host: host.name,
    hint: 'This step has changed nothing on it. It was this cluster’s when the reset began: it was replaced since, or another cluster has taken it. Correct its address in cluster.yaml and begin the reset anew; a reset of the whole cluster can also go on without it (`kubewright skip`).',
  });
}

/**
 * Bash that ends a script, before anything was changed, where the host does not bear this record any more: between an answer and the act a
 * host may change hands, too.
 *
 * @param record as `recordOfOurs` gives it
 */
export function requireRecord(record: string): string {
  return `[ "$(cat ${OWNER_PATH})" = ${quote(record)} ] || { echo 'kubewright: nothing was changed: the host does not bear the record any more by which it was of this cluster' >&2; exit ${NOT_OURS}; }\n`;
}
