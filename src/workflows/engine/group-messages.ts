import { condition, defineSignal, getExternalWorkflowHandle, isCancellation, setHandler } from '@temporalio/workflow';
import type { Decision, GroupAnswer, GroupNews, GroupReport, HandedDecision, Verb } from '../types.js';
import type { GroupBooks } from './group-books.js';
import type { Ledger } from './ledger.js';

/** From the root to a group: what has ended elsewhere. */
export const newsSignal = defineSignal<[GroupNews]>('group-news');
/** From the root to a group: a person's decision on its steps. */
export const decisionSignal = defineSignal<[HandedDecision]>('group-decision');
/** From a group to its root: where it stands. */
export const reportSignal = defineSignal<[GroupReport]>('group-report');
/** From a group to its root: what became of a decision. */
export const answerSignal = defineSignal<[GroupAnswer]>('group-answer');

/** Of signals between workflows, in Temporal's dialogs. */
export const NOT_FOR_PEOPLE = 'Between a run and its groups of hosts; nobody needs to send it.';

/** For a signal to a workflow that may have just ended, and need not be told any more. */
export function ifEnded(error: unknown): void {
  if (isCancellation(error)) throw error;
}

/** For what runs beside a workflow's steps until it is cancelled. */
export function ifCancelled(error: unknown): void {
  if (!isCancellation(error)) throw error;
}

/** What a root does with the messages of its groups. */
export interface Root {
  groups: GroupBooks;
  ledger: Ledger;
  /** Called when a group has said where it stands. */
  heard(): void;
}

/** Takes the reports of groups into the books. @returns a function that hands decisions on to them */
export function handleGroups(root: Root): (groups: string[], verb: Verb, decision: Decision) => Promise<GroupAnswer[]> {
  const { groups, ledger } = root;
  const answers = new Map<string, GroupAnswer>();
  let asked = 0;
  // Temporal's dialogs list what a run takes; one without groups has nothing to hear from them.
  if (groups.steps() > 0) {
    const onReport = (report: GroupReport): void => {
      if (groups.reported(report, ledger)) root.heard();
    };
    setHandler(reportSignal, onReport, { description: NOT_FOR_PEOPLE });
    const onAnswer = (answer: GroupAnswer): void => {
      answers.set(`${answer.group} ${answer.number}`, answer);
    };
    setHandler(answerSignal, onAnswer, { description: NOT_FOR_PEOPLE });
  }
  const ask = async (group: string, verb: Verb, decision: Decision): Promise<GroupAnswer[]> => {
    if (!groups.isRunning(group)) return [];
    asked += 1;
    const number = asked;
    const key = `${group} ${number}`;
    // What was seen is counted over all groups; each judges by its own blockings.
    const { seen: _, ...forGroup } = decision;
    try {
      await getExternalWorkflowHandle(groups.workflowIdOf(group)).signal(decisionSignal, {
        number,
        verb,
        decision: forGroup,
      });
    } catch (error) {
      // It has ended in this moment, so there is nothing to decide in it.
      if (isCancellation(error)) throw error;
      return [];
    }
    await condition(() => answers.has(key) || !groups.isRunning(group));
    const answer = answers.get(key);
    answers.delete(key);
    return answer === undefined ? [] : [answer];
  };
  return async (ids, verb, decision) => {
    const all = await Promise.all(ids.map((group) => ask(group, verb, decision)));
    return all.flat();
  };
}
