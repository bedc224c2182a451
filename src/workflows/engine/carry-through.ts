import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
} from '@temporalio/workflow';
import type { Step } from '../../plan/types.js';
import type { DecisionRecord, FailureDetails, RunResult } from '../types.js';
import { cleanUp } from './clean-up.js';
import { listed } from './group-books.js';
import { type Effects, handleMessages } from './messages.js';
import type { Overview } from './overview.js';
import { recoverableStep, type StepRun } from './recoverable-step.js';
import { stopSteps } from './stop-steps.js';
import { isGroup, type Unit } from './units.js';

/** What a root and a group have each of their own. */
export interface Work extends Pick<Effects, 'handOn'> {
  parts: StepRun;
  units: readonly Unit[];
  overview: Overview;
  /** Called once messages find their handlers, before anything is done. */
  begin(): void;
  /** Takes the effects of decisions, for who receives them in another way as well. */
  decided?(effects: Effects): void;
}

/**
 * Brings everything that one workflow carries out to its end.
 *
 * @throws ApplicationFailure KW810 when a person aborted the run; what `begin` throws
 */
export async function carryThrough({ parts, units, overview, begin, handOn, decided }: Work): Promise<RunResult> {
  const { ledger } = parts;
  const scope = new CancellationScope({ cancellable: true });
  let abort: Abort | undefined;
  const effects: Effects = {
    ...parts,
    overview,
    handOn,
    abort: (record) => {
      abort = { record, running: ledger.runningSteps() };
      ledger.close('aborted');
      scope.cancel();
    },
  };
  // Before anything else: a message that arrives in the first task must find its handler.
  handleMessages(effects);
  decided?.(effects);
  begin();
  await runAll(units, parts, scope);
  if (abort !== undefined) throw await abortFailure(abort, parts);
  await ended(parts);
  return overview.result();
}

interface Abort {
  record: DecisionRecord;
  running: Step[];
}

/**
 * Resolves when every step has ended, or, after an abort or a cancellation, when every activity has let go of its host.
 * Groups are not in the scope that an abort cancels: they stop their own commands, and end by themselves then.
 */
async function runAll(units: readonly Unit[], parts: StepRun, scope: CancellationScope): Promise<void> {
  const through = async (unit: Unit): Promise<void> => {
    try {
      await recoverableStep(unit, parts);
    } catch (error) {
      if (!isCancellation(error)) throw error;
    }
  };
  await Promise.all([
    ...units.filter(isGroup).map(through),
    scope.run(() => Promise.all(units.filter((unit) => !isGroup(unit)).map(through))),
  ]);
}

/** Ends the books. A cancelled workflow stays a cancelled one: its steps were let go, not stopped. */
async function ended(parts: StepRun): Promise<void> {
  const cancelled = CancellationScope.current().consideredCancelled;
  if (cancelled) {
    parts.ledger.close('cancelled');
    await cleanUp(parts);
  }
  parts.publish();
  await handlersFinished();
  if (cancelled) throw new CancelledFailure('The run was cancelled; what runs on the hosts runs on.');
}

async function abortFailure(abort: Abort, parts: StepRun): Promise<ApplicationFailure> {
  return CancellationScope.nonCancellable(async () => {
    const others = parts.groups.disorder();
    const left = [...(await stopSteps(abort.running, parts)), ...others.left];
    const unclean = [...(await cleanUp(parts)), ...others.unclean];
    parts.publish();
    await handlersFinished();
    const { by, reason } = abort.record;
    const because = reason === undefined ? '' : `: ${reason}`;
    const still = left.length === 0 ? '' : ` What ran for ${listed(left)} could not be stopped and may still run.`;
    const untidy = unclean.length === 0 ? '' : ` Not put back, for it failed: ${listed(unclean)}.`;
    const hint = hintOf(parts, unclean.length === 0);
    const details: FailureDetails = {
      hint,
      ...(left.length === 0 ? {} : { left }),
      ...(unclean.length === 0 ? {} : { unclean }),
    };
    return ApplicationFailure.create({
      message: `aborted by ${by ?? 'an operator'}${because}.${still}${untidy}`,
      type: 'KW810',
      nonRetryable: true,
      details: [details],
    });
  });
}

/** What stands on the hosts now: of a drill, whose every break has its cleanup, nothing new. */
function hintOf({ command = 'install' }: StepRun, isClean: boolean): string {
  if (command !== 'drill')
    return `Nothing was rolled back. \`kubewright ${command}\` goes on from what stands on the hosts.`;
  return isClean
    ? 'What was broken was put back.'
    : 'What could not be put back is undone by its host within some minutes, but for its power; docs/drills.md says how it is done by hand.';
}

function handlersFinished(): Promise<void> {
  return CancellationScope.nonCancellable(() => condition(allHandlersFinished));
}
