import { BUILD } from '../../build.js';
import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { PLAN_FORMAT } from '../../plan/run.js';
import { type AppliedSpec, renderApplied, type WipeLater, withoutPlaces } from '../applied/record/applied-spec.js';
import { newerRecord, readAppliedSpec } from '../applied/record/read.js';
import { awaitRecord, writeRecord } from '../applied/record/recordApplied.js';
import type { StepContext, StepImplementation } from '../types.js';
import { isAway } from './away.js';

/**
 * Writes down that one host is no part of the cluster any more, and that it is to be wiped where it could not be reached. What was applied
 * to the others stays as it was recorded: an edited cluster.yaml has not been applied by a reset.
 */
export const recordReset: StepImplementation = {
  async probe(context) {
    const host = subjectOf(context);
    const { answer, ...found } = await readAppliedSpec(without(context, host));
    const problem = newerRecord({ answer, ...found });
    if (problem !== undefined) return { done: false, found: problem.message, changes: [], problem };
    const after = `${host.name} is no part of the cluster any more`;
    if (answer.is === 'yes' && saysSo(answer.value, context, host)) {
      const { generation, build } = answer.value;
      const leftToDo = `take ${host.name} out of cluster.yaml, and call install: the others then know of it. Left in the file, install makes the host a part of the cluster again`;
      return {
        done: true,
        found: `recorded as generation ${generation}: ${after}`,
        changes: [],
        data: { generation, build, leftToDo },
      };
    }
    return { done: false, found: 'the record does not say so yet', changes: [`record that ${after}`] };
  },

  async apply(context) {
    const host = subjectOf(context);
    const narrowed = without(context, host);
    const found = await awaitRecord(narrowed);
    const problem = newerRecord(found);
    if (problem !== undefined) throw problem;
    const before = found.answer.is === 'yes' ? found.answer.value : undefined;
    await writeRecord(narrowed, renderApplied(nextSpec(context, host, before)));
  },
};

function subjectOf({ wholeCluster, step }: StepContext): ClusterHost {
  const host = wholeCluster.hosts.find(({ name }) => name === step.with?.host);
  // The plan is computed from this very cluster, so this is a programming error, not a user's.
  if (host === undefined) throw new Error(`step ${step.id} names no host of the cluster`);
  return host;
}

/** The step as it is for a cluster without the host, whose copy of the record counts for nothing any more. */
function without(context: StepContext, { name }: ClusterHost): StepContext {
  const less = (cluster: Cluster): Cluster => ({
    ...cluster,
    hosts: cluster.hosts.filter((each) => each.name !== name),
  });
  // By inheritance, for some of what a context has is made when it is asked for.
  return Object.create(context, {
    cluster: { value: less(context.cluster) },
    wholeCluster: { value: less(context.wholeCluster) },
  }) as StepContext;
}

function saysSo({ cluster, toBeWiped = [] }: AppliedSpec, context: StepContext, host: ClusterHost): boolean {
  const isOut = cluster.hosts.every(({ name }) => name !== host.name);
  return isOut && (!isAway(context, host.name) || toBeWiped.some(({ name }) => name === host.name));
}

function nextSpec(context: StepContext, host: ClusterHost, before: AppliedSpec | undefined): AppliedSpec {
  const { operation, run, wholeCluster } = context;
  const applied = before?.cluster ?? withoutPlaces(wholeCluster);
  const others = (before?.toBeWiped ?? []).filter(({ name }) => name !== host.name);
  const wipe: WipeLater[] = isAway(context, host.name) ? [{ name: host.name, address: host.address }] : [];
  return {
    generation: (before?.generation ?? 0) + 1,
    operation,
    planFormat: PLAN_FORMAT,
    build: BUILD,
    run: run?.runId ?? '',
    at: new Date().toISOString(),
    leftOut: (before?.leftOut ?? []).filter((name) => name !== host.name),
    toBeWiped: [...others, ...wipe],
    cluster: { ...applied, hosts: applied.hosts.filter(({ name }) => name !== host.name) },
  };
}
