import { BUILD } from '../../../build.js';
import { hostsOf } from '../../../cluster/types.js';
import { KubewrightError } from '../../../errors.js';
import type { CommandResult } from '../../../hosts/types.js';
import { PLAN_FORMAT, type StepData } from '../../../plan/run.js';
import { lookUntil, notYet, seen } from '../../../waiting.js';
import { requireYes, unknown } from '../../answers.js';
import { type ReadyControlPlane, requireControlPlane } from '../../kubeadm/control-plane.js';
import type { Probe, StepContext, StepImplementation } from '../../types.js';
import { waitOf } from '../../verify/await-state.js';
import {
  APPLIED_PATH,
  type AppliedSpec,
  renderApplied,
  renderConfigMap,
  saysTheSame,
  withoutPlaces,
} from './applied-spec.js';
import { type AppliedCopy, type AppliedRecord, newerRecord, placeOf, readAppliedSpec } from './read.js';

/**
 * Writes down what was applied, as the last step of whatever changes a cluster: into the cluster and onto each control
 * plane. A record that says so already stays as it is, with its time, and is brought to where a copy is missing.
 */
export const recordApplied: StepImplementation = {
  async probe(context) {
    const found = await readAppliedSpec(context);
    const problem = newerRecord(found);
    if (problem !== undefined) return { done: false, found: problem.message, changes: [], problem };
    return probeOf(context, found);
  },

  async apply(context) {
    // Most of it was written a moment ago, through API servers that may still be coming up.
    const found = await awaitRecord(context);
    const problem = newerRecord(found);
    if (problem !== undefined) throw problem;
    const spec = nextSpec(context, found);
    const text = renderApplied(spec);
    await writeRecord(context, text);
  },
};

/** Writes the text of a record onto each control plane, and into the cluster. */
export async function writeRecord(context: StepContext, text: string): Promise<void> {
  for (const { name } of hostsOf(context.cluster, 'control-plane')) {
    await context.hostNamed(name).writeFile(APPLIED_PATH, text, { mode: 0o600 });
  }
  await writeConfigMap(context, renderConfigMap(text));
}

const PATIENCE_MS = 60_000;
const POLL_MS = 1_000;
const TRIES = 5;

/** Every copy, asked for until each has answered. @throws KubewrightError KW433 (transient) while a copy cannot be asked for: it may be the one that counts */
export async function awaitRecord(
  context: StepContext,
  { patienceMs, pollMs } = { patienceMs: PATIENCE_MS, pollMs: POLL_MS },
): Promise<AppliedRecord> {
  let untold = '';
  const look = async () => {
    const found = await readAppliedSpec(context);
    const missing = found.copies.find(({ state }) => state === 'unknown');
    if (missing === undefined) return seen(found);
    untold = `${placeOf(missing)}: ${missing.why ?? ''}`;
    return notYet(`waiting for ${untold}`);
  };
  const record = await lookUntil(look, { patienceMs, everyMs: pollMs, ...waitOf(context) });
  return record ?? requireYes(unknown(untold), 'what was applied before');
}

/** What is to be recorded of this run, but for who wrote it and when. */
function wantedOf(
  { wholeCluster, cluster }: StepContext,
  before: AppliedSpec | undefined,
): Pick<AppliedSpec, 'planFormat' | 'build' | 'leftOut' | 'toBeWiped' | 'cluster'> {
  const there = new Set(cluster.hosts.map(({ name }) => name));
  const leftOut = wholeCluster.hosts.map(({ name }) => name).filter((name) => !there.has(name));
  // One that is part of the cluster again was wiped, or its install would have been refused.
  const toBeWiped = (before?.toBeWiped ?? []).filter(({ name }) => !there.has(name));
  return { planFormat: PLAN_FORMAT, build: BUILD, leftOut, toBeWiped, cluster: withoutPlaces(wholeCluster) };
}

function nextSpec(context: StepContext, { answer }: AppliedRecord): AppliedSpec {
  const before = answer.is === 'yes' ? answer.value : undefined;
  const wanted = wantedOf(context, before);
  if (before !== undefined && saysTheSame(before, wanted)) return before;
  const { operation, run } = context;
  const generation = (before?.generation ?? 0) + 1;
  return { generation, operation, run: run?.runId ?? '', at: new Date().toISOString(), ...wanted };
}

function probeOf(context: StepContext, { answer, copies }: AppliedRecord): Probe {
  const unasked = copies.filter(({ state }) => state === 'unknown');
  const spec = answer.is === 'yes' ? answer.value : undefined;
  const holds = spec !== undefined && saysTheSame(spec, wantedOf(context, spec));
  const others = copies.filter(({ state }) => state !== 'same' && state !== 'unknown');
  if (holds && others.length + unasked.length === 0)
    return { done: true, found: portrayed(spec, copies), changes: [], data: dataOf(spec) };
  const known = spec === undefined ? unrecorded(answer) : portrayed(spec, copies);
  const changes = holds
    ? others.map((copy) => `write it ${again(copy)}${whereTo(copy)}${because(copy)}`)
    : [
        `record what was applied, in the cluster and on ${listOf(copies)}`,
        ...copies.filter(({ state }) => state === 'edited').map(replaced),
      ];
  const why = unasked.map((copy) => `${placeOf(copy)} could not be asked for: ${copy.why}`);
  return { done: false, found: [known, ...why].join('; '), changes };
}

function unrecorded(answer: AppliedRecord['answer']): string {
  return answer.is === 'unknown'
    ? `what was applied cannot be told: ${answer.why}`
    : 'what was applied is recorded nowhere';
}

function again({ state }: AppliedCopy): string {
  return state === 'edited' ? 'anew ' : '';
}

function because({ state }: AppliedCopy): string {
  if (state === 'missing') return ', where it is missing';
  if (state === 'edited') return ', where it was changed by hand';
  return state === 'older' ? ', where an older one is' : '';
}

function replaced(copy: AppliedCopy): string {
  return `replace ${placeOf(copy)}, which was changed by hand`;
}

function whereTo({ host }: AppliedCopy): string {
  return host === null ? 'into the cluster' : `on ${host}`;
}

function listOf(copies: AppliedCopy[]): string {
  return copies.flatMap(({ host }) => (host === null ? [] : [host])).join(', ');
}

function portrayed({ generation, cluster, leftOut, build }: AppliedSpec, copies: AppliedCopy[]): string {
  const hosts = `${cluster.hosts.length - leftOut.length} hosts`;
  const without = leftOut.length === 0 ? '' : `, without ${leftOut.join(', ')}`;
  const places = copies
    .filter(({ state }) => state === 'same')
    .map((copy) => (copy.host === null ? 'the cluster' : copy.host));
  return `recorded as generation ${generation}: Kubernetes ${cluster.kubernetes.version}, ${hosts}${without}, by kubewright ${build}; in ${places.join(', ')}`;
}

function dataOf({ generation, cluster, leftOut, build, run, at, operation }: AppliedSpec): StepData {
  const hosts = cluster.hosts.length - leftOut.length;
  return { generation, operation, version: cluster.kubernetes.version, hosts, build, run, at };
}

/** Server-side: an annotation with the last applied object would hold all of it a second time. */
async function writeConfigMap(context: StepContext, object: string): Promise<void> {
  const via = await requireControlPlane(context);
  let tries = 0;
  const look = async () => {
    const { exitCode, stderr } = await applyOnce(context, via, object);
    if (exitCode === 0) return seen(true);
    tries += 1;
    // In an election, or under load, one call in three may fail: a person is not asked for that.
    if (tries === TRIES) throw notAccepted(via, stderr);
    return notYet(`writing the record again: ${stderr.trim().split('\n').at(-1)}`);
  };
  await lookUntil(look, { patienceMs: Number.POSITIVE_INFINITY, everyMs: POLL_MS, ...waitOf(context) });
}

function applyOnce(context: StepContext, via: ReadyControlPlane, object: string): Promise<CommandResult> {
  const script = `${via.kubectl} apply --server-side --force-conflicts --field-manager=kubewright -f - >/dev/null`;
  return via.remote.run(script, { input: object, signal: context.signal, allowFailure: true, timeoutMs: 60_000 });
}

function notAccepted(via: ReadyControlPlane, stderr: string): KubewrightError {
  return new KubewrightError('KW593', 'the API did not accept the record of what was applied', {
    host: via.host.name,
    output: stderr,
    hint: 'The cluster is installed, and only the record is missing. The last lines say what was refused. Mend the cause, then retry the step.',
  });
}
