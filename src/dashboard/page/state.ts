import type { OperationView, StepView, Told } from '../told.js';
import type { Connection } from './stream.js';

/** What a person is about to decide, and is asked about once more. */
export interface Question {
  verb: 'skip' | 'abort';
  /** Of a step. */
  step?: string;
  blocking?: number;
}

/** What was said to a decision. */
export interface Notice {
  tone: 'good' | 'bad';
  text: string;
}

/** All that the page shows. */
export interface State {
  /** The cluster that is looked at; undefined: the list of them. */
  cluster: string | undefined;
  connection: Connection;
  told: Partial<Told>;
  /** Milliseconds since the epoch. */
  now: number;
  /** Whether the page is too narrow for four hosts beside each other. */
  isNarrow: boolean;
  /** Phases that a person has opened or closed. */
  toggled: ReadonlyMap<string, boolean>;
  question: Question | undefined;
  /** How many questions were asked: each has a dialog of its own. */
  asked: number;
  notice: Notice | undefined;
  /** Whether a decision is on its way. */
  isDeciding: boolean;
  /** Read aloud to who does not see the page. */
  said: string;
}

/** What a person does on the page. */
export interface Acts {
  retry(step: string, blocking?: number): void;
  ask(question: Question): void;
  /** Takes back this question; another one that was asked meanwhile stays. */
  forget(question: Question): void;
  decide(question: Question, reason: string): void;
  toggle(phase: string, isOpen: boolean): void;
}

/** The operation with all its steps: those that have not changed are as they were. Pure. */
export function merged(before: OperationView | null | undefined, told: OperationView | null): OperationView | null {
  if (told === null || told.isWhole || !before) return told;
  const changed = new Map(told.steps.map((step) => [step.id, step]));
  const steps = before.steps.map((step) => changed.get(step.id) ?? step);
  const known = new Set(before.steps.map(({ id }) => id));
  return { ...told, isWhole: true, steps: [...steps, ...told.steps.filter(({ id }) => !known.has(id))] };
}

/** What is worth saying aloud of what has happened; nothing for single steps. Pure. */
export function worthSaying(before: OperationView | null | undefined, now: OperationView | null): string | undefined {
  if (!before || now === null || before.runId !== now.runId) return undefined;
  const known = new Set(before.blocked.map(({ step, blocking }) => `${step} ${blocking}`));
  const fresh = now.blocked.filter(({ step, blocking }) => !known.has(`${step} ${blocking}`));
  if (fresh.length > 1) return `${fresh.length} steps are blocked and wait for you.`;
  const [only] = fresh;
  if (only !== undefined) return `${only.step} is blocked and waits for you. ${only.message}`;
  if (before.word !== now.word) return `${now.title}: ${now.word}.`;
  return undefined;
}

/** What a host is busy with, for the picture. */
export interface HostWork {
  tone: 'bad' | 'busy';
  text: string;
}

/** What runs on each host, or waits for a person there. Pure. */
export function workOn(operation: OperationView | null | undefined): Map<string, HostWork> {
  const work = new Map<string, HostWork>();
  if (!operation?.isRunning) return work;
  for (const step of operation.steps) {
    if (step.host === null || work.get(step.host)?.tone === 'bad') continue;
    if (step.state === 'blocked') work.set(step.host, { tone: 'bad', text: `blocked: ${verbOf(step)}` });
    else if (step.state === 'running') work.set(step.host, { tone: 'busy', text: verbOf(step) });
  }
  return work;
}

function verbOf({ id }: StepView): string {
  return id.slice(id.indexOf('/') + 1);
}
