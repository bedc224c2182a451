import { ApplicationFailure } from '@temporalio/common';
import { upsertMemo } from '@temporalio/workflow';
import type { DrillProblem, DrillReport, Scenario, ScenarioLeft } from '../plan/drill-report.js';
import type { RunInput } from '../plan/run.js';
import { run } from './engine/run.js';
import { DRILL_MEMO, type DrillMemo } from './reports.js';
import type { FailureDetails, RunResult } from './types.js';

/** The step that says whether the cluster may be drilled at all. */
const PREFLIGHT = 'cluster/preflight';

/**
 * Breaks one part of a cluster after the other, measures what comes of it, and puts everything back.
 *
 * @throws ApplicationFailure with the preflight's own code when the cluster is not to be drilled, KW810 when a person aborted it
 */
export async function drillCluster(input: RunInput): Promise<RunResult> {
  const result = await run(input);
  const problems = problemsOf(result);
  const refused = problems.find(({ step }) => step === PREFLIGHT);
  if (refused !== undefined) {
    const { code, message, hint } = refused;
    const details: FailureDetails = { hint };
    throw ApplicationFailure.create({ message, type: code, nonRetryable: true, details: [details] });
  }
  const { measured = [], findings: _, more: __, ...rest } = result;
  const left = leftOut(input, new Set(measured.map(({ scenario }) => scenario)), problems);
  const report: DrillReport = {
    cluster: input.cluster.name,
    at: Date.now(),
    scenarios: measured,
    ...(left.length === 0 ? {} : { left }),
    ...(problems.length === 0 ? {} : { problems }),
  };
  upsertMemo({ [DRILL_MEMO]: { scenarios: measured.length, problems: problems.length } satisfies DrillMemo });
  return { ...rest, drill: report };
}

/** Failures of steps come as findings whose look they are. */
function problemsOf({ findings = [], failed = [] }: RunResult): DrillProblem[] {
  const isFailed = new Set(failed);
  return findings.flatMap(({ look, code, evidence, hint }) =>
    look !== undefined && isFailed.has(look) ? [{ step: look, code, message: evidence, hint }] : [],
  );
}

/** Planned scenarios of which nothing was measured: those that failed themselves, and those behind one that did. */
function leftOut({ plan }: RunInput, measured: ReadonlySet<Scenario>, problems: DrillProblem[]): ScenarioLeft[] {
  const planned = [...new Set(plan.flatMap((step) => (step.with?.scenario as Scenario | undefined) ?? []))];
  return planned
    .filter((scenario) => !measured.has(scenario))
    .map((scenario) => {
      const own = problems.find(({ step }) => step.startsWith(`cluster/${scenario}-`));
      return { scenario, why: own?.message ?? 'it was not begun, for the one before it did not end well' };
    });
}
