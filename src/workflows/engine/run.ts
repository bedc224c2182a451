import { log, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { cut } from '../../plan/cut.js';
import type { RunInput } from '../../plan/run.js';
import { DEFAULT_PATIENCE_MS, type RunResult } from '../types.js';
import { Attempts } from './attempts.js';
import { carryThrough } from './carry-through.js';
import { currentDetails } from './details.js';
import { GroupBooks } from './group-books.js';
import { handleGroups } from './group-messages.js';
import { Lanes } from './lanes.js';
import { Ledger, workersOf } from './ledger.js';
import { Overview } from './overview.js';
import { checkPlan } from './plan-order.js';
import { attributePairs } from './search-attributes.js';
import { asStep } from './units.js';

/**
 * Carries out a plan, whatever the operation: runs each step as soon as what it needs is done. A step that cannot succeed
 * by itself parks and waits for a person (or is reported, where the plan says so), the others go on; the run ends when
 * every step is done or left out. Steps of a large plan that belong to groups are carried out by child workflows, one for
 * each group (see `runGroup`); what is asked of the run and decided about it goes through the root all the same.
 *
 * Mutating operations are started under the id `cluster/<name>`, which makes one the only one that changes that cluster.
 * The plan is the input, never computed here: newer code must not change what is under way.
 *
 * @throws ApplicationFailure KW810 when a person aborted the run, KW432 when the plan itself is broken
 */
export async function run(input: RunInput): Promise<RunResult> {
  const { own, groups: cutOff } = cut(input.plan);
  const groupSteps = cutOff.map(asStep);
  const { workflowId, runId, firstExecutionRunId } = workflowInfo();
  const units = [...groupSteps, ...own];
  const ledger = new Ledger({ units, workers: workersOf(input) });
  const groups = new GroupBooks(groupSteps, workflowId);
  const overview = new Overview(input.cluster.name, input.plan, ledger, groups);
  const publish = publisher(input, overview);
  return carryThrough({
    units,
    overview,
    begin: () => {
      checkPlan(input.plan);
      publish();
    },
    handOn: handleGroups({ groups, ledger, heard: publish }),
    parts: {
      cluster: input.cluster.name,
      // A health check leaves nothing to go on with; what mends a cluster is an install.
      command: input.operation === 'check' ? 'install' : input.operation,
      ledger,
      groups,
      root: { workflowId, runId, first: firstExecutionRunId },
      planHash: input.planHash,
      format: input.format ?? 1,
      build: input.build,
      patienceMs: input.patienceMs ?? DEFAULT_PATIENCE_MS,
      leavesOutUnreachable: input.unreachableWorkers === 'leave-out',
      attempts: new Attempts(),
      lanes: new Lanes(),
      publish,
    },
  });
}

/** For a worker's log: which steps wait for a person, and their codes. Words of hosts stay where a payload key covers them. */
function whatBlocks(overview: Overview): string[] {
  return overview.blockedShown().map(({ step, code }) => `${step} (${code})`);
}

/**
 * Tells Temporal and the worker's log what has changed; an upsert is an event in the history, so only what differs is
 * written. A run that is ending publishes no blocked steps: the list of stuck runs is what still waits for a person.
 */
function publisher(input: RunInput, overview: Overview): () => void {
  let published = '';
  return () => {
    const { operation } = input;
    setCurrentDetails(currentDetails(overview.progress(), overview.counts(), overview.blockedCount(), operation));
    const isOpen = !overview.isClosed();
    const blocked = { count: isOpen ? overview.blockedCount() : 0, names: isOpen ? overview.blockedNames() : [] };
    const attributes = { state: overview.state(), phase: overview.phase(), blocked };
    const present = JSON.stringify(attributes);
    if (present === published) return;
    published = present;
    const { phase, state } = attributes;
    log.info(`${input.operation ?? 'install'} ${state}`, {
      cluster: input.cluster.name,
      phase,
      blocked: whatBlocks(overview),
    });
    if (input.searchAttributes === true) upsertSearchAttributes(attributePairs(attributes, input.format ?? 1));
  };
}
