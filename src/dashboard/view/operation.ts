import type { DescribedRun, StepActivity } from '../../engine/index.js';
import { OPERATIONS } from '../../plan/operations.js';
import { runNotes } from '../../terminal/run-notes.js';
import { firstNames, lastLines, printable } from '../../terminal/text.js';
import { type BlockedStep, type DecisionRecord, hasEnded, type StepProgress } from '../../workflows/types.js';
import type { BlockedView, DecisionView, OperationView, StepView, Tone } from '../told.js';

/** Lines of output of a failed step that are shown: the workflow keeps no more than a few thousand characters. */
const OUTPUT_LINES = 40;

/**
 * An operation as the page shows it. Pure.
 *
 * @param output latest lines that were seen of steps which are under way
 */
export function operationOf(run: DescribedRun, output: ReadonlyMap<string, string[]> = new Map()): OperationView {
  const { progress, activities, operation = 'install', status, startedAt, closedAt, failure } = run;
  const { title, noun } = OPERATIONS[operation].words;
  const steps = progress.steps.map((step) => stepOf(step, activities[step.id], output.get(step.id)));
  const { word, tone } = wordOf(run);
  return {
    runId: run.runId,
    title: `${title} ${progress.cluster}`,
    noun,
    word,
    tone,
    isRunning: status === 'running',
    startedAt,
    ...(closedAt === undefined ? {} : { closedAt }),
    total: steps.length,
    ended: progress.steps.filter(hasEnded).length,
    phases: [...new Set(steps.map(({ phase }) => phase))].map((name) => ({ name, title: name.replaceAll('-', ' ') })),
    isWhole: true,
    steps,
    blocked: status === 'running' ? progress.blocked.map(blockedOf) : [],
    decisions: progress.decisions.map(decisionOf),
    notes: runNotes(run).map((note) => note.split('\n').map(printable).join(' ')),
    ...(failure === undefined ? {} : { failure: told(failure) }),
  };
}

function wordOf({ status, progress, operation = 'install' }: DescribedRun): { word: string; tone: Tone } {
  const { doing, done } = OPERATIONS[operation].words;
  if (status === 'completed') return { word: done, tone: 'good' };
  if (status !== 'running') return { word: status, tone: 'bad' };
  return progress.blocked.length > 0 ? { word: 'blocked', tone: 'bad' } : { word: doing, tone: 'busy' };
}

function stepOf(step: StepProgress, activity: StepActivity | undefined, lines: string[] = []): StepView {
  const { id, title, phase, host, state, startedAt, endedAt, outcome, summary, failed } = step;
  const failure = activity?.failure ?? failed?.message;
  return {
    id,
    title: printable(title),
    phase,
    host,
    state,
    ...given({ startedAt, endedAt }),
    ...(summary ? { summary: printable(summary) } : {}),
    ...(outcome === undefined ? {} : { changed: outcome === 'changed' }),
    ...(activity === undefined ? {} : activityOf(activity)),
    ...(lines.length === 0 ? {} : { lines }),
    ...(failure === undefined ? {} : { failure: printable(failure) }),
  };
}

function activityOf({ attempt, stage, nextAttemptAt, paused }: StepActivity): Partial<StepView> {
  return given({ attempt, stage, nextAttemptAt, paused });
}

function blockedOf(blocked: BlockedStep): BlockedView {
  const { step, host, blocking, output, tries, since, skippable, retrying = false } = blocked;
  return {
    ...{ step, host, blocking, tries, since, skippable, retrying },
    ...told(blocked),
    lines: lastLines(output, OUTPUT_LINES),
  };
}

function decisionOf({ verb, steps, more = 0, by, reason, at, ignored }: DecisionRecord): DecisionView {
  const names = firstNames(steps, 3);
  return {
    verb,
    steps: more > 0 ? `${names} and ${more} more` : names,
    at,
    ...given({ by, reason: reason && printable(reason), ignored: ignored && printable(ignored) }),
  };
}

function told({ code, message, hint }: { code: string; message: string; hint: string }) {
  return { code, message: printable(message), hint: printable(hint) };
}

/** Without what is not there: what is sent is compared with what was sent before. */
function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
