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
} from '@temporalio/workflow';
import { Attempts } from './attempts.js';
import { currentDetails } from './details.js';
import { InstallLedger } from './ledger.js';
import { handleMessages } from './messages.js';
import { checkPlan } from './plan-order.js';
import { recoverableStep, type StepRun } from './recoverable-step.js';
import { attributePairs } from './search-attributes.js';
import { stopSteps } from './stop-steps.js';
import { DEFAULT_PATIENCE_MS, type DecisionRecord, type InstallInput, type InstallResult } from '../types.js';

/**
 * Installs a cluster: runs each step of the plan as soon as what it needs is done. A step that cannot succeed by itself
 * parks and waits for a person, the others go on; the run ends when every step is done or left out.
 *
 * Started under the id `cluster/<name>`, which makes it the only one that changes that cluster. The plan is its input,
 * never computed here: newer code must not change a running install.
 *
 * @throws ApplicationFailure KW810 when a person aborted the run, KW432 when the plan itself is broken
 */
export async function installCluster(input: InstallInput): Promise<InstallResult> {
  const ledger = new InstallLedger(input);
  const scope = new CancellationScope({ cancellable: true });
  const run: StepRun = {
    ledger,
    build: input.build,
    patienceMs: input.patienceMs ?? DEFAULT_PATIENCE_MS,
    attempts: new Attempts(),
    publish: publisher(input, ledger),
  };
  let abort: Abort | undefined;
  // Before anything else: a message that arrives in the first task must find its handler.
  handleMessages({
    ...run,
    abort: (record) => {
      abort = { record, running: ledger.runningSteps() };
      ledger.close('aborted');
      scope.cancel();
    },
  });
  checkPlan(input.plan);
  run.publish();
  await runSteps(input, run, scope);
  if (abort !== undefined) throw await abortFailure(abort, run);
  await ended(run);
  return ledger.result();
}

interface Abort {
  record: DecisionRecord;
  running: ReturnType<InstallLedger['runningSteps']>;
}

/**
 * Resolves when every step has ended, or, after an abort or a cancellation, when every activity has let go of its host.
 */
async function runSteps(input: InstallInput, run: StepRun, scope: CancellationScope): Promise<void> {
  const oneStep = async (step: InstallInput['plan'][number]): Promise<void> => {
    try {
      await recoverableStep(step, run);
    } catch (error) {
      if (!isCancellation(error)) throw error;
    }
  };
  await scope.run(() => Promise.all(input.plan.map(oneStep)));
}

/** Ends the books. A cancelled workflow stays a cancelled one: its steps were let go, not stopped. */
async function ended(run: StepRun): Promise<void> {
  const cancelled = CancellationScope.current().consideredCancelled;
  if (cancelled) run.ledger.close('cancelled');
  run.publish();
  await handlersFinished();
  if (cancelled) throw new CancelledFailure('The install was cancelled; what runs on the hosts runs on.');
}

async function abortFailure(abort: Abort, run: StepRun): Promise<ApplicationFailure> {
  return CancellationScope.nonCancellable(async () => {
    const left = await stopSteps(abort.running, run);
    run.publish();
    await handlersFinished();
    const { by, reason } = abort.record;
    const because = reason === undefined ? '' : `: ${reason}`;
    const still = left.length === 0 ? '' : ` What ran for ${left.join(', ')} could not be stopped and may still run.`;
    return ApplicationFailure.create({
      message: `aborted by ${by ?? 'an operator'}${because}.${still}`,
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
function whatBlocks(ledger: InstallLedger): string[] {
  return ledger.blockedSteps().map(({ step, code }) => `${step} (${code})`);
}

/**
 * Tells Temporal, and the log of the worker, what has changed; an upsert is an event in the history, so only what differs is written. A run that is
 * ending publishes no blocked steps: the list of stuck installs is what still waits for a person.
 */
function publisher(input: InstallInput, ledger: InstallLedger): () => void {
  let published = '';
  return () => {
    setCurrentDetails(currentDetails(ledger.progress()));
    const blocked = ledger.isClosed() ? [] : ledger.blockedSteps().map((step) => step.step);
    const attributes = { state: ledger.state(), phase: ledger.phase(), blocked };
    const present = JSON.stringify(attributes);
    if (present === published) return;
    published = present;
    log.info(`install ${attributes.state}`, {
      cluster: input.cluster.name,
      phase: attributes.phase,
      blocked: whatBlocks(ledger),
    });
    if (input.searchAttributes !== true) return;
    upsertSearchAttributes(attributePairs(attributes));
  };
}
