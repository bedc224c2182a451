import {
  condition,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { GroupInput } from '../../plan/run.js';
import type { BlockedStep, GroupAnswer, GroupNews, GroupReport, GroupResult, HandedDecision } from '../types.js';
import { Attempts } from './attempts.js';
import { carryThrough } from './carry-through.js';
import { currentDetails } from './details.js';
import { GroupBooks } from './group-books.js';
import {
  answerSignal,
  decisionSignal,
  ifCancelled,
  ifEnded,
  NOT_FOR_PEOPLE,
  newsSignal,
  reportSignal,
} from './group-messages.js';
import { Lanes } from './lanes.js';
import { Ledger } from './ledger.js';
import { type Effects, take, verdictOn } from './messages.js';
import { Overview } from './overview.js';
import { HEARTBEAT_TIMEOUT_IN_GROUPS } from './recoverable-step.js';
import { Refusal } from './refusals.js';

/** Pauses between reports to the root: each is a signal in both histories. What others wait for is told at once. */
const PAUSE_WHEN_BLOCKED = 3_000;
const PAUSE_BETWEEN_COUNTS = 15_000;

/** Blocked steps that a report tells of, and bytes of names beside them. */
const SHOWN = 5;
const NAMES_LIMIT = 1_000;
const OUTPUT_SHOWN = 300;

/**
 * Carries out the steps of a group of hosts: a child workflow of the run that they belong to, by the same engine. It asks
 * nobody outside: its root is told where it stands, and tells it what ends elsewhere and what a person decides.
 *
 * @throws ApplicationFailure KW810 when the run was aborted
 */
export async function runGroup(input: GroupInput): Promise<GroupResult> {
  const { firstExecutionRunId } = workflowInfo();
  const ledger = new Ledger({ units: input.steps, workers: new Set(input.hosts) });
  const groups = new GroupBooks([], '');
  const overview = new Overview(input.cluster, input.steps, ledger, groups);
  const attempts = new Attempts();
  for (const { id, data } of input.ended) ledger.endedElsewhere(id, data);
  ledger.leftElsewhere(input.without);
  const onNews = ({ ended, without }: GroupNews): void => {
    for (const { id, data } of ended) ledger.endedElsewhere(id, data);
    ledger.leftElsewhere(without);
    attempts.letGo(ledger.leftOutSteps());
  };
  setHandler(newsSignal, onNews, { description: NOT_FOR_PEOPLE });
  // Made when something has changed, not each time that somebody may have waited for it.
  let report = reportOf(input, firstExecutionRunId, ledger, overview);
  const publish = (): void => {
    report = reportOf(input, firstExecutionRunId, ledger, overview);
    setCurrentDetails(currentDetails(overview.progress(), overview.counts(), overview.blockedCount()));
  };
  const result = await carryThrough({
    units: input.steps,
    overview,
    handOn: async () => [],
    decided: (effects) => takeHanded(input, effects),
    begin: () => {
      publish();
      // Ends with the workflow, which waits for its steps only.
      void keepReporting(input, () => report).catch(ifCancelled);
    },
    parts: {
      cluster: input.cluster,
      ledger,
      groups,
      root: input.root,
      planHash: input.planHash,
      format: input.format,
      build: input.build,
      patienceMs: input.patienceMs,
      leavesOutUnreachable: input.unreachableWorkers === 'leave-out',
      attempts,
      heartbeatTimeout: HEARTBEAT_TIMEOUT_IN_GROUPS,
      lanes: new Lanes(),
      publish,
    },
  });
  return { ...result, steps: ledger.stepsSoFar() };
}

function reportOf(input: GroupInput, runId: string, ledger: Ledger, overview: Overview): GroupReport {
  const isEnded = (id: string): boolean => ledger.ending(id) !== undefined;
  const awaited = Object.entries(input.awaited);
  return {
    group: input.group,
    runId,
    phase: overview.phase(),
    ended: overview.counts().ended,
    blocked: overview.blockedCount(),
    names: fitting(overview.blockedNames()),
    shown: overview.blockedShown().slice(0, SHOWN).map(shortened),
    fulfilled: awaited.filter(([, needs]) => needs.every(isEnded)).map(([step]) => step),
    leftOut: ledger.hostsLeftOut(),
  };
}

function fitting(names: string[]): string[] {
  let size = 0;
  return names.filter((name) => {
    size += name.length + 3;
    return size <= NAMES_LIMIT;
  });
}

function shortened(step: BlockedStep): BlockedStep {
  return { ...step, output: step.output.slice(-OUTPUT_SHOWN) };
}

/** Tells the root what has changed: at once what steps elsewhere wait for, the rest after a pause, all together. */
async function keepReporting(input: GroupInput, report: () => GroupReport): Promise<void> {
  // By id, not by run: after a Reset of the root that is the new one.
  const root = getExternalWorkflowHandle(input.root.workflowId);
  let told: GroupReport | undefined;
  // Lists only grow, but for those of what is blocked.
  const isUrgent = (): boolean => {
    const { fulfilled, leftOut } = report();
    return fulfilled.length !== told?.fulfilled.length || leftOut.length !== told.leftOut.length;
  };
  const isBlockedAnew = (): boolean => {
    const { blocked, shown, names } = report();
    return (
      isUrgent() || blocked !== told?.blocked || lastOf(shown) !== lastOf(told.shown) || names[0] !== told.names[0]
    );
  };
  const hasChanged = (): boolean => report().ended !== told?.ended || report().phase !== told.phase || isBlockedAnew();
  for (;;) {
    await condition(hasChanged);
    told = report();
    await root.signal(reportSignal, told).catch(ifEnded);
    if (await condition(isUrgent, PAUSE_WHEN_BLOCKED)) continue;
    await condition(isBlockedAnew, PAUSE_BETWEEN_COUNTS - PAUSE_WHEN_BLOCKED);
  }
}

function lastOf(steps: BlockedStep[]): number | undefined {
  return steps.at(-1)?.blocking;
}

/** Decisions that the root hands on are judged here, by what this group knows, and answered. */
function takeHanded(input: GroupInput, effects: Effects): void {
  const onDecision = async (handed: HandedDecision): Promise<void> => {
    const { number, verb, decision } = handed;
    // The root has judged an abort; here it is as good as done.
    const verdict =
      verb === 'abort' ? { steps: [], groups: [], decision } : verdictOn(verb, decision, effects.overview);
    const answer: GroupAnswer = { group: input.group, number };
    if (verdict instanceof Refusal) {
      const { code, message, hint } = verdict;
      answer.refusal = { code, message, hint };
    } else {
      answer.steps = take(verb, verdict, 'signal', effects).steps;
    }
    if (number > 0) await getExternalWorkflowHandle(input.root.workflowId).signal(answerSignal, answer).catch(ifEnded);
  };
  setHandler(decisionSignal, onDecision, { description: NOT_FOR_PEOPLE });
}
