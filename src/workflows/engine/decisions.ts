import { distance } from 'fastest-levenshtein';
import type { Step } from '../../plan/types.js';
import type { BlockedStep, Decision, Verb } from '../types.js';
import { Refusal } from './refusals.js';

/** What a decision is judged by. */
export interface Situation {
  /** All steps of the run. */
  plan: readonly Pick<Step, 'id'>[];
  /** Blocked steps that are decided here, oldest first. */
  blocked: BlockedStep[];
  /** Number of the run's steps that have ended, done or skipped. */
  ended: number;
  /** Number of blockings the run has had. */
  blockings: number;
  /** Groups with blocked steps, as far as is known here: what is decided about those is handed on. */
  elsewhere?: readonly BlockedGroup[];
  /** Groups that run: a step of theirs may be blocked since a moment ago. */
  groups?: readonly string[];
  /** The group that carries a step out; undefined for a step that is decided here. */
  groupOf?: (step: string) => string | undefined;
}

/** What is known of a group's blocked steps: how many there are, and some of them. */
export interface BlockedGroup {
  group: string;
  count: number;
  names: readonly string[];
  shown: readonly BlockedStep[];
}

const WHERE_IT_STANDS = '`kubewright status` shows where the install stands';

/** A decision that will take effect, or why it will not. */
export type Verdict = Choice | Refusal;

export interface Choice {
  /** Blocked steps that it takes effect on here. */
  steps: BlockedStep[];
  /** Groups that it is handed on to, which judge it by themselves. */
  groups: string[];
  decision: Decision;
}

/**
 * Judges a decision. Pure and total: whatever a person typed into a dialog gives steps or a refusal, never an
 * exception.
 *
 * @param payload the one optional JSON value of the message; a bare string is taken as the step's id
 */
export function judge(verb: Verb, payload: unknown, situation: Situation): Verdict {
  const decision = parseDecision(payload);
  if (decision instanceof Refusal) return decision;
  const stale = staleness(decision, situation);
  if (stale !== undefined) return stale;
  if (verb === 'abort') return judgeAbort(decision, situation);
  const choice = chosen(verb, decision, situation);
  if (choice instanceof Refusal) return choice;
  const refused = verb === 'skip' ? refuseSkip(decision, choice.steps) : undefined;
  return refused ?? choice;
}

const FIELDS = { step: 'string', reason: 'string', blocking: 'number', seen: 'number', by: 'string' } as const;

/** Accepts nothing, a step's id, or an object with known fields of the right types. */
function parseDecision(payload: unknown): Decision | Refusal {
  if (payload === undefined || payload === null) return {};
  if (typeof payload === 'string') return { step: payload };
  if (typeof payload !== 'object' || Array.isArray(payload)) return malformed(`a ${typeof payload} is not an object`);
  const fields = Object.entries(payload).filter(([, value]) => value !== null && value !== undefined);
  for (const [name, value] of fields) {
    const wanted = FIELDS[name as keyof typeof FIELDS];
    if (wanted === undefined) return malformed(`it has no field ${JSON.stringify(name)}`);
    if (typeof value !== wanted) return malformed(`${name} must be a ${wanted}`);
  }
  return Object.fromEntries(fields) as Decision;
}

function malformed(what: string): Refusal {
  return new Refusal(
    'KW808',
    `The decision cannot be read: ${what}`,
    'Send nothing or one JSON object such as {"step":"cp-2/join","reason":"…"}',
  );
}

/** A decision made in view of another run, or of an earlier blocking of the same step. */
function staleness(decision: Decision, situation: Situation): Refusal | undefined {
  const { blocking, seen } = decision;
  // Each group counts its blockings for itself.
  const isHere = decision.step === undefined || situation.groupOf?.(decision.step) === undefined;
  const future = isHere && blocking !== undefined && blocking > situation.blockings;
  if (future || (seen !== undefined && seen > situation.ended)) {
    return new Refusal(
      'KW806',
      'The decision was made in view of more than this run has done, so it was meant for the run before a Reset',
      'Look at the present state and decide anew',
    );
  }
  return undefined;
}

function judgeAbort(decision: Decision, situation: Situation): Verdict {
  if (decision.step !== undefined) {
    return new Refusal(
      'KW808',
      `An abort ends the whole run, so it takes no step (${JSON.stringify(decision.step.slice(0, 80))})`,
      'Leave the step out of it; `skip` leaves one step out and lets the others go on',
    );
  }
  // A Reset to an early event hands the old run's abort to the new run in its first moments. The client's aborts say
  // what they had seen; one typed by hand does not, so it is not taken before the run has shown anything to decide on.
  const says = decision.seen !== undefined || decision.blocking !== undefined;
  const hasShown = situation.ended > 0 || situation.blocked.length > 0 || (situation.elsewhere ?? []).length > 0;
  if (!says && !hasShown) {
    return new Refusal(
      'KW809',
      'No step of this run has ended yet, so this abort may be left over from the run before a Reset',
      'Send {"seen":0} to abort all the same, or cancel the workflow',
    );
  }
  return { steps: [], groups: [], decision };
}

function chosen(verb: Verb, decision: Decision, situation: Situation): Choice | Refusal {
  const { blocked, elsewhere = [] } = situation;
  if (decision.step?.startsWith(EVERY_HOST)) return chosenByVerb(verb, decision, situation);
  if (decision.step !== undefined && decision.step !== '*') return chosenByName(verb, decision, situation);
  const count = elsewhere.reduce((sum, group) => sum + group.count, blocked.length);
  const { groups = [] } = situation;
  if (decision.step === '*' && groups.length > 0) return { steps: blocked, groups: [...groups], decision };
  if (count === 0) return new Refusal('KW801', `There is nothing to ${verb}: no step is blocked`, WHERE_IT_STANDS);
  if (decision.step === '*') return { steps: blocked, groups: [], decision };
  const answering = decision.blocking;
  if (answering !== undefined && elsewhere.length === 0) {
    const one = blocked.filter((step) => step.blocking === answering);
    return one.length > 0 ? { steps: one, groups: [], decision } : stale(`Blocking ${answering}`, answering);
  }
  if (count > 1) {
    return new Refusal(
      'KW805',
      `${count} steps are blocked (${blockedNames(situation)}), and the decision names none`,
      `Name one, such as {"step":${JSON.stringify(blocked[0]?.step ?? elsewhere[0]?.names[0])}}, or all of them with {"step":"*"}`,
    );
  }
  const [only] = elsewhere;
  if (only === undefined) return { steps: blocked, groups: [], decision };
  return { steps: [], groups: [only.group], decision: { ...decision, step: only.names[0] } };
}

/** As many names as one reads: a fault that all hosts share blocks a step of each. */
function blockedNames({ blocked, elsewhere = [] }: Situation): string {
  const names = [...blocked.map(({ step }) => step), ...elsewhere.flatMap((group) => group.names)];
  const count = elsewhere.reduce((sum, group) => sum + group.count, blocked.length);
  return someNames(names, count);
}

function someNames(names: readonly string[], count: number): string {
  const shown = names.slice(0, NAMES_SHOWN);
  return count > shown.length ? `${shown.join(', ')} and ${count - shown.length} more` : shown.join(', ');
}

const NAMES_SHOWN = 20;

/** Before a verb: that step of every host. */
const EVERY_HOST = '*/';

/** Each group knows which of its hosts are blocked there. */
function chosenByVerb(verb: Verb, decision: Decision, situation: Situation): Choice | Refusal {
  const name = decision.step ?? '';
  const steps = situation.blocked.filter(({ step }) => step.endsWith(name.slice(1)));
  const groups = [...(situation.groups ?? [])];
  if (steps.length > 0 || groups.length > 0) return { steps, groups, decision };
  return new Refusal(
    'KW801',
    `There is nothing to ${verb}: no step like ${JSON.stringify(name.slice(0, 80))} is blocked`,
    blockedHint(situation),
  );
}

function chosenByName(verb: Verb, decision: Decision, situation: Situation): Choice | Refusal {
  const name = decision.step ?? '';
  const group = situation.groupOf?.(name);
  // The group knows whether the step is blocked, and which blocking that is.
  if (group !== undefined) return { steps: [], groups: [group], decision };
  if (!situation.plan.some((step) => step.id === name)) return unknownStep(name, situation);
  const step = situation.blocked.find((candidate) => candidate.step === name);
  if (step === undefined) {
    return new Refusal('KW801', `${name} is not blocked, so there is nothing to ${verb}`, blockedHint(situation));
  }
  if (decision.blocking !== undefined && decision.blocking !== step.blocking) {
    return stale(`${name} is blocked anew (number ${step.blocking}), and the decision`, decision.blocking);
  }
  return { steps: [step], groups: [], decision };
}

function stale(what: string, answering: number): Refusal {
  return new Refusal(
    'KW806',
    `${what} answers number ${answering}, which is over`,
    'Look at what blocks now, then decide anew',
  );
}

function blockedHint(situation: Situation): string {
  const names = blockedNames(situation);
  return names === '' ? `No step is blocked. ${WHERE_IT_STANDS}` : `Blocked: ${names}`;
}

function unknownStep(name: string, situation: Situation): Refusal {
  const nearest = nearestStep(name, situation);
  const suggestion = nearest === undefined ? '' : `Did you mean ${nearest}? `;
  return new Refusal(
    'KW802',
    `The plan has no step ${JSON.stringify(name.slice(0, 80))}`,
    suggestion + blockedHint(situation),
  );
}

/** A blocked step is preferred to a nearer one that is not: it is what people decide about. */
function nearestStep(name: string, situation: Situation): string | undefined {
  const near = (ids: string[]): string | undefined => {
    const ranked = ids.map((id) => ({ id, edits: distance(name, id) })).sort((a, b) => a.edits - b.edits);
    const best = ranked[0];
    return best !== undefined && best.edits <= Math.max(2, Math.floor(best.id.length / 3)) ? best.id : undefined;
  };
  const named = (situation.elsewhere ?? []).flatMap(({ names }) => names);
  return near([...situation.blocked.map(({ step }) => step), ...named]) ?? near(situation.plan.map(({ id }) => id));
}

function refuseSkip(decision: Decision, steps: BlockedStep[]): Refusal | undefined {
  if (decision.reason === undefined || decision.reason.trim() === '') {
    return new Refusal(
      'KW803',
      'A step is skipped only with a reason',
      'Say why, such as {"step":"w-1/join","reason":"the host was taken back"}',
    );
  }
  const fixed = steps.filter((step) => !step.skippable).map((step) => step.step);
  if (fixed.length === 0) return undefined;
  return new Refusal(
    'KW804',
    `${someNames(fixed, fixed.length)} cannot be skipped: the cluster is not whole without ${fixed.length === 1 ? 'it' : 'them'}`,
    'Mend the cause and retry, or abort',
  );
}
