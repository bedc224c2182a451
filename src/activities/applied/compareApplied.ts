import { QUORUM_RECOVERY } from '../../components/etcd/members/remove-member.js';
import { KubewrightError } from '../../errors.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { unknown } from '../answers.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { waitOf } from '../verify/await-state.js';
import { compareCluster } from './compare/index.js';
import { type Comparison, type Difference, differenceText, grouped, refusals } from './difference.js';
import { type Reading, readApplied } from './read.js';
import { newerRecord } from './record/read.js';

/** As long as the API servers of a whole cluster take to come back after a blackout on a busy machine. */
const PATIENCE_MS = 180_000;
const POLL_MS = 2_000;

/**
 * Compares cluster.yaml with what was applied to a cluster that is there already, before anything is changed. What install
 * can carry out is named, and what it cannot is refused, all of it at once. Where there is no cluster yet there is nothing
 * to compare; where there is one that cannot be read, nothing may be changed.
 */
export const compareApplied: StepImplementation = {
  withoutLease: true,

  async probe(context) {
    return probeOf(context, await readApplied(context));
  },

  async apply(context) {
    const { problem } = probeOf(context, await awaitReading(context));
    if (problem !== undefined) throw problem;
  },
};

function probeOf(context: StepContext, reading: Reading): Probe {
  const { answer } = reading;
  if (answer.is === 'no') return { done: true, found: `there is no cluster yet: ${answer.evidence}`, changes: [] };
  if (answer.is === 'unknown') {
    const problem = cannotTell(answer.why, reading.transient);
    return { done: false, found: problem.message, changes: [], problem };
  }
  const newer = newerRecord(answer.value.record);
  if (newer !== undefined) return { done: false, found: newer.message, changes: [], problem: newer };
  const comparison = compareCluster(context.cluster, answer.value);
  const refused = refusals(comparison);
  const problem = refused.length > 0 ? refusal(refused) : undefined;
  const found = foundText(comparison);
  return { done: problem === undefined, found, changes: [], comparison, ...(problem ? { problem } : {}) };
}

/** Waits for a cluster that comes back, as after a blackout; what is unknown at the end stays so. */
export async function awaitReading(
  context: StepContext,
  { patienceMs, pollMs } = { patienceMs: PATIENCE_MS, pollMs: POLL_MS },
): Promise<Reading> {
  let last: Reading = { answer: unknown('it was not asked'), transient: true };
  const look = async () => {
    last = await readApplied(context);
    if (last.answer.is !== 'unknown') return seen(last);
    return notYet(`waiting for the cluster, to read what was applied: ${last.answer.why}`);
  };
  await lookUntil(look, { patienceMs, everyMs: pollMs, ...waitOf(context) });
  return last;
}

function cannotTell(why: string, transient: boolean): KubewrightError {
  return new KubewrightError('KW360', `there is a cluster, and what was applied to it cannot be told: ${why}`, {
    transient,
    hint: `Nothing was changed. Bring the control planes back (\`crictl ps -a\` and \`journalctl -u kubelet\` there say why an API server does not start), then retry the step. If etcd lost its quorum for good, see ${QUORUM_RECOVERY}.`,
  });
}

function refusal(refused: Difference[]): KubewrightError {
  const count = refused.length === 1 ? 'one thing' : `${refused.length} things`;
  const groups = grouped(refused).flatMap(({ head, differences }) => [
    `  ${head}:`,
    ...differences.map((one) => `    ${differenceText(one)}`),
  ]);
  const message = `cluster.yaml asks for ${count} that install cannot change on this living cluster:\n${groups.join('\n')}`;
  return new KubewrightError('KW361', message, {
    hint: 'Nothing was changed. Write into cluster.yaml what the cluster has (left of the arrow), also where it was changed by hand. A run that waits here keeps its file: `kubewright abort`, then install again.',
  });
}

function foundText({ differences, unchecked }: Comparison): string {
  const counts = (['install', 'stays', 'refused', 'never'] as const).flatMap((verdict) => {
    const count = differences.filter((one) => one.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${WORDS[verdict]}`];
  });
  const same =
    differences.length === 0
      ? 'the cluster has what cluster.yaml says'
      : `${differences.length} differences: ${counts.join(', ')}`;
  return unchecked.length === 0 ? same : `${same}; ${unchecked.length} not checked`;
}

const WORDS = {
  install: 'that install applies',
  stays: 'that stay as they are',
  refused: 'that this version cannot change',
  never: 'that can never change',
} as const;
