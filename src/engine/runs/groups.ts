import pLimit from 'p-limit';
import type { RunReference } from '../../plan/run.js';
import type { Step } from '../../plan/types.js';
import type { BlockedStep, GroupProgress, GroupResult, RunProgress, StepProgress } from '../../workflows/types.js';
import type { Engine, RunSnapshot, StepActivity } from '../types.js';
import { askWorkflow, pendingActivities, statusOf } from './ask.js';
import { addressesIn, progressFromHistory, readInput } from './history.js';
import type { Remembered } from './snapshot.js';

/** What the last look at a run's groups knew. */
export interface GroupMemory {
  /** The run's whole plan, and the addresses of its hosts by their names; they never change. */
  plan: Step[];
  addresses: Record<string, string>;
  groups: Map<string, LookedAt>;
}

interface LookedAt {
  runId: string;
  events: number;
  isOpen: boolean;
  progress: RunProgress;
  source: RunSnapshot['source'];
}

/**
 * Groups that are asked at once: all those of a thousand hosts. A worker with much to do lets each question wait for its turn,
 * and questions wait side by side, while who looks waits no longer than one of them may.
 */
const AT_ONCE = 32;
/** The root has just answered, so a worker lives: a slow one is waited for before a long history is read instead. */
const GROUP_LIMIT_MS = 5_000;

export interface Whole {
  progress: RunProgress;
  source: RunSnapshot['source'];
  activities: Record<string, StepActivity>;
  memory?: GroupMemory;
}

/**
 * Puts what the groups of a run know to what their root knows: its answer holds their counts, theirs hold the steps. A
 * group of which nothing is new is not asked again.
 */
export async function lookAtGroups(engine: Engine, root: RunReference, known: Remembered): Promise<Whole> {
  const { progress, source } = known;
  if (progress.groups === undefined) return { progress, source, activities: {} };
  const before = known.groups?.groups ?? new Map<string, LookedAt>();
  const limit = pLimit(AT_ONCE);
  const looks = progress.groups.map((group) =>
    limit(async () => [group.id, await lookAt(engine, group, before.get(group.id), source)] as const),
  );
  // A plan of a thousand hosts takes as long to read as its groups to answer.
  const [{ plan, addresses }, found] = await Promise.all([
    known.groups ?? startedWith(engine, root),
    Promise.all(looks),
  ]);
  const groups = new Map(found.flatMap(([id, look]) => (look === undefined ? [] : [[id, look.seen] as const])));
  const seen = [...groups.values()];
  return {
    progress: combined(progress, plan, groups),
    source: seen.every((look) => look.source === 'worker') ? source : 'history',
    activities: Object.assign({}, ...found.map(([, look]) => look?.activities ?? {})),
    memory: { plan, addresses, groups },
  };
}

async function startedWith(engine: Engine, root: RunReference): Promise<Pick<GroupMemory, 'plan' | 'addresses'>> {
  const input = await readInput(engine, root.workflowId, root.runId);
  return { plan: input.plan, addresses: addressesIn(input) };
}

/** @returns undefined for one that is not started */
async function lookAt(
  engine: Engine,
  { workflowId, runId: firstRunId }: GroupProgress,
  before: LookedAt | undefined,
  rootSource: RunSnapshot['source'],
): Promise<{ seen: LookedAt; activities: Record<string, StepActivity> } | undefined> {
  if (firstRunId === undefined) return undefined;
  if (before?.runId === firstRunId && !before.isOpen && before.source === 'worker')
    return { seen: before, activities: {} };
  const description = await engine.client.workflow.getHandle(workflowId).describe();
  const { runId } = description;
  const events = Number(description.historyLength);
  const isOpen = statusOf(description.status.name) === 'running';
  const activities = await pendingActivities(engine, description);
  const isKnown = before?.runId === runId && before.events === events;
  if (isKnown && (before.source === 'worker' || rootSource === 'history'))
    return { seen: { ...before, isOpen }, activities };
  const ended = description.status.name === 'COMPLETED' ? await endOf(engine, workflowId, runId) : undefined;
  if (ended !== undefined)
    return { seen: { runId, events, isOpen, progress: ended, source: 'worker' }, activities: {} };
  // Where the root was not answered, no worker is there for its groups either.
  const asked = rootSource === 'worker' ? await askWorkflow(engine, workflowId, runId, GROUP_LIMIT_MS) : undefined;
  const progress = asked ?? (await progressFromHistory(engine, workflowId, runId));
  const source = asked === undefined ? 'history' : 'worker';
  return { seen: { runId, events, isOpen, progress, source }, activities };
}

/** What a group that has ended well says in its result; undefined for one of a build whose groups did not say it. */
async function endOf(engine: Engine, workflowId: string, runId: string): Promise<RunProgress | undefined> {
  const handle = engine.client.workflow.getHandle(workflowId, runId, { followRuns: false });
  const { cluster, steps } = (await handle.result()) as Partial<GroupResult>;
  if (cluster === undefined || steps === undefined) return undefined;
  return { cluster, state: 'done', steps, blocked: [], decisions: [] };
}

/** All steps in the order of the plan; what no group has told of yet is waited for. */
function combined(root: RunProgress, plan: Step[], groups: Map<string, LookedAt>): RunProgress {
  const answers = [...groups.values()].map(({ progress }) => progress);
  const known = new Map([root, ...answers].flatMap(({ steps }) => steps).map((step) => [step.id, step]));
  const steps = plan.map(({ id, title, phase, host }): StepProgress => {
    return known.get(id) ?? { id, title, phase, host, state: 'waiting' };
  });
  const told = new Set(plan.filter(({ group }) => group !== undefined && groups.has(group)).map(({ id }) => id));
  // The root knows some of them, a little later and shortened.
  const own = root.blocked.filter(({ step }) => !told.has(step));
  const blocked = [...own, ...answers.flatMap((answer) => answer.blocked)].sort(bySince);
  return { ...root, steps, blocked, state: stateOf(root, blocked) };
}

function bySince(a: BlockedStep, b: BlockedStep): number {
  return a.since - b.since;
}

/** A group's news reaches the root a few seconds later than whoever asks the group itself. */
function stateOf(root: RunProgress, blocked: BlockedStep[]): RunProgress['state'] {
  if (root.state !== 'running' && root.state !== 'blocked') return root.state;
  return blocked.length > 0 ? 'blocked' : 'running';
}
