import { defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import {
  type Decision,
  type DecisionRecord,
  type DecisionResult,
  type GroupAnswer,
  type RunProgress,
  VERBS,
  type Verb,
} from '../types.js';
import type { Attempts } from './attempts.js';
import { type Choice, judge, type Verdict } from './decisions.js';
import { listed } from './group-books.js';
import type { Ledger } from './ledger.js';
import type { Overview } from './overview.js';
import { Refusal } from './refusals.js';

export const progressQuery = defineQuery<RunProgress>('progress');

/** What operators read in the dialogs of Temporal's UI. */
const DESCRIPTIONS: Record<Verb, string> = {
  retry:
    'Try a blocked step again. JSON: {"step":"cp-2/join"}, {"step":"*/join"} for that step of all hosts, {"step":"*"} for all blocked; nothing when only one is.',
  skip: 'Leave a blocked step out; a worker’s step leaves that worker out. JSON: {"step":"w-1/join","reason":"…"}.',
  abort: 'End the run as failed and stop what runs on the hosts; nothing is rolled back. JSON: {"reason":"…"}.',
};

/** What the verbs do to the run. */
export interface Effects {
  ledger: Ledger;
  overview: Overview;
  attempts: Attempts;
  /** Hands a decision on to groups, and returns what they say to it; one that ends meanwhile says nothing. */
  handOn(groups: string[], verb: Verb, decision: Decision): Promise<GroupAnswer[]>;
  /** Ends the run; called with the decision's record. */
  abort(record: DecisionRecord): void;
  publish(): void;
}

/**
 * Registers `progress` and the three verbs, each as an Update (for the command line: it answers) and as a Signal of the
 * same name (it is kept for later when no worker runs). A wrong update is refused; a wrong signal is recorded as
 * ignored. Neither ever fails the run.
 */
export function handleMessages(effects: Effects): void {
  setHandler(progressQuery, () => effects.overview.progress(), {
    description: 'Every step’s state, what is blocked, what was decided.',
  });
  for (const verb of VERBS) {
    const description = DESCRIPTIONS[verb];
    // Validators are synchronous by the SDK's contract: it does not await them, so an async one refuses nothing.
    const validator = (payload?: unknown): void => {
      const verdict = verdictOn(verb, payload, effects.overview);
      if (verdict instanceof Refusal) throw verdict.toFailure();
    };
    setHandler(defineUpdate<DecisionResult, [unknown?]>(verb), (payload) => onUpdate(verb, payload, effects), {
      description,
      validator,
    });
    setHandler(defineSignal<[unknown?]>(verb), (payload) => onSignal(verb, payload, effects), { description });
  }
}

/** A verdict on what somebody sends; a run that is ending takes nothing any more. */
export function verdictOn(verb: Verb, payload: unknown, overview: Pick<Overview, 'isClosed' | 'situation'>): Verdict {
  if (overview.isClosed())
    return new Refusal('KW807', 'The run is ending', 'Start the next one with `kubewright install`');
  return judge(verb, payload, overview.situation());
}

async function onUpdate(verb: Verb, payload: unknown, effects: Effects): Promise<DecisionResult> {
  // Judged again: between validator and handler another message of the same task may have decided the same step.
  const verdict = verdictOn(verb, payload, effects.overview);
  if (verdict instanceof Refusal) throw verdict.toFailure();
  const taken = take(verb, verdict, 'update', effects);
  if (verdict.groups.length === 0) return taken;
  const answers = await effects.handOn(verdict.groups, verb, verdict.decision);
  const steps = [...taken.steps, ...answers.flatMap((answer) => answer.steps ?? [])];
  const refusal = answers.find((answer) => answer.refusal !== undefined)?.refusal;
  if (steps.length === 0 && refusal !== undefined) {
    throw new Refusal(refusal.code, refusal.message, refusal.hint).toFailure();
  }
  return { steps, message: messageOf(verb, steps) };
}

async function onSignal(verb: Verb, payload: unknown, effects: Effects): Promise<void> {
  const verdict = verdictOn(verb, payload, effects.overview);
  if (verdict instanceof Refusal) {
    const ignored = `${verdict.code}: ${verdict.message}`;
    effects.ledger.recorded({ verb, steps: [], at: Date.now(), via: 'signal', ignored });
    return;
  }
  take(verb, verdict, 'signal', effects);
  if (verdict.groups.length > 0) await effects.handOn(verdict.groups, verb, verdict.decision);
}

/** Lets a decision take effect on the steps that are decided here. */
export function take(verb: Verb, choice: Choice, via: 'update' | 'signal', effects: Effects): DecisionResult {
  const { reason, by } = choice.decision;
  const steps = choice.steps.map((step) => step.step);
  const concerned = [...steps, ...(choice.groups.length > 0 ? [choice.decision.step ?? '*'] : [])];
  const record: DecisionRecord = { verb, steps: concerned, reason, by, at: Date.now(), via };
  effects.ledger.recorded(record);
  if (verb === 'retry') effects.ledger.retried(steps);
  if (verb === 'skip') effects.ledger.left(steps);
  // After a retry only what is tried all the same has a try under way: it is made anew, at once.
  if (verb !== 'abort') effects.attempts.letGo(verb === 'retry' ? steps : effects.ledger.leftOutSteps());
  if (verb === 'abort') effects.abort(record);
  effects.publish();
  return { steps, message: messageOf(verb, steps) };
}

function messageOf(verb: Verb, steps: string[]): string {
  if (verb === 'retry') return `Trying ${listed(steps)} again.`;
  if (verb === 'skip') return `Left out: ${listed(steps)}.`;
  return 'Aborting: what runs on the hosts is being stopped.';
}
