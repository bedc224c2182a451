import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  log,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { RunInput } from '../../plan/run.js';
import type { Step } from '../../plan/types.js';
import { DEFAULT_PATIENCE_MS, type DecisionRecord, type RunResult } from '../types.js';
import { Attempts } from './attempts.js';
import { cleanUp } from './clean-up.js';
import { currentDetails } from './details.js';
import { Lanes } from './lanes.js';
import { Ledger } from './ledger.js';
import { handleMessages } from './messages.js';
import { checkPlan } from './plan-order.js';
import { recoverableStep, type StepRun } from './recoverable-step.js';
import { attributePairs } from './search-attributes.js';
import { stopSteps } from './stop-steps.js';

/**
 * Carries out a plan, whatever the operation: runs each step as soon as what it needs is done. A step that cannot succeed
 * by itself parks and waits for a person (or is reported, where the plan says so), the others go on; the run ends when
 * every step is done or left out.
 *
 * Mutating operations are started under the id `cluster/<name>`, which makes one the only one that changes that cluster.
 * The plan is the input, never computed here: newer code must not change what is under way.
 *
 * @throws ApplicationFailure KW810 when a person aborted the run, KW432 when the plan itself is broken
 */
export async function run(input: RunInput): Promise<RunResult> {
  const ledger = new Ledger(input);
  const scope = new CancellationScope({ cancellable: true });
  const parts = partsOf(input, ledger);
  let abort: Abort | undefined;
  // Before anything else: a message that arrives in the first task must find its handler.
  handleMessages({
    ...parts,
    abort: (record) => {
      abort = { record, running: ledger.runningSteps() };
      ledger.close('aborted');
      scope.cancel();
    },
  });
  checkPlan(input.plan);
  parts.publish();
  await runSteps(input.plan, parts, scope);
  if (abort !== undefined) throw await abortFailure(abort, parts);
  await ended(parts);
  return ledger.result();
}

function partsOf(input: RunInput, ledger: Ledger): StepRun {
  const { workflowId, runId } = workflowInfo();
  return {
    ledger,
    root: { workflowId, runId },
    planHash: input.planHash,
    format: input.format ?? 1,
    build: input.build,
    patienceMs: input.patienceMs ?? DEFAULT_PATIENCE_MS,
    attempts: new Attempts(),
    lanes: new Lanes(),
    publish: publisher(input, ledger),
  };
}

interface Abort {
  record: DecisionRecord;
  running: Step[];
}

/**
 * Resolves when every step has ended, or, after an abort or a cancellation, when every activity has let go of its host.
 */
async function runSteps(plan: Step[], parts: StepRun, scope: CancellationScope): Promise<void> {
  const oneStep = async (step: Step): Promise<void> => {
    try {
      await recoverableStep(step, parts);
    } catch (error) {
      if (!isCancellation(error)) throw error;
    }
  };
  await scope.run(() => Promise.all(plan.map(oneStep)));
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
    const left = await stopSteps(abort.running, parts);
    const unclean = await cleanUp(parts);
    parts.publish();
    await handlersFinished();
    const { by, reason } = abort.record;
    const because = reason === undefined ? '' : `: ${reason}`;
    const still = left.length === 0 ? '' : ` What ran for ${left.join(', ')} could not be stopped and may still run.`;
    const untidy = unclean.length === 0 ? '' : ` Not put back, for it failed: ${unclean.join(', ')}.`;
    return ApplicationFailure.create({
      message: `aborted by ${by ?? 'an operator'}${because}.${still}${untidy}`,
      type: 'KW810',
      nonRetryable: true,
      details: [{ hint: 'Nothing was rolled back. `kubewright install` goes on from what stands on the hosts.' }],
    });
  });
}

function handlersFinished(): Promise<void> {
  return CancellationScope.nonCancellable(() => condition(allHandlersFinished));
}

/** For a worker's log: which steps wait for a person, and their codes. Words of hosts stay where a payload key covers them. */
function whatBlocks(ledger: Ledger): string[] {
  return ledger.blockedSteps().map(({ step, code }) => `${step} (${code})`);
}

/**
 * Tells Temporal and the worker's log what has changed; an upsert is an event in the history, so only what differs is
 * written. A run that is ending publishes no blocked steps: the list of stuck runs is what still waits for a person.
 */
function publisher(input: RunInput, ledger: Ledger): () => void {
  let published = '';
  return () => {
    setCurrentDetails(currentDetails(ledger.progress()));
    const blocked = ledger.isClosed() ? [] : ledger.blockedSteps().map((step) => step.step);
    const attributes = { state: ledger.state(), phase: ledger.phase(), blocked };
    const present = JSON.stringify(attributes);
    if (present === published) return;
    published = present;
    const { phase, state } = attributes;
    log.info(`${input.operation ?? 'install'} ${state}`, {
      cluster: input.cluster.name,
      phase,
      blocked: whatBlocks(ledger),
    });
    if (input.searchAttributes === true) upsertSearchAttributes(attributePairs(attributes, input.format ?? 1));
  };
}
