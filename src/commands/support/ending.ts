import type { RunSnapshot } from '../../engine/index.js';
import { KubewrightError } from '../../errors.js';
import type { DrillReport } from '../../plan/drill-report.js';
import { OPERATIONS } from '../../plan/operations.js';
import { verbOf } from '../../terminal/alike.js';
import { retryCommand, selectorOf, skipCommand } from '../../terminal/blocked.js';
import { drillLines } from '../../terminal/drill.js';
import type { Output } from '../../terminal/output.js';
import { duration, elapsed, firstNames, pad, plural, utcMinute } from '../../terminal/text.js';
import type { BlockedStep, RunResult } from '../../workflows/types.js';
import { EXIT, type ExitCode } from './shell.js';

/**
 * Tells how a run ended.
 *
 * @throws KubewrightError with the run's own failure when it did not end well
 */
export function tellEnding(output: Output, snapshot: RunSnapshot): ExitCode {
  const { result, failure, progress } = snapshot;
  if (snapshot.status !== 'completed' || result === undefined) {
    throw new KubewrightError(
      failure?.code ?? 'KW522',
      failure?.message ?? `the run of ${progress.cluster} has ended`,
      {
        hint: failure?.hint,
      },
    );
  }
  const { unreachable = [] } = result;
  const code = codeOf(result);
  const left = leftToDo(snapshot);
  if (output.json) {
    const more = left.length > 0 ? { leftToDo: left } : {};
    // Of a drill the report is an object of its own.
    const { drill: _, ...told } = result;
    output.object({ type: 'result', ...told, durationMs: lasted(snapshot), ...more });
    if (result.drill !== undefined) tellDrill(output, result.drill);
    return code;
  }
  output.line();
  output.line(endingSentence(snapshot));
  const silent = new Set(unreachable);
  const hosts = new Map(progress.steps.map(({ id, host }) => [id, host]));
  const skipped = result.skipped.filter((step) => !silent.has(hosts.get(step) ?? ''));
  if (skipped.length > 0) output.line(`Left out by decision: ${skipped.join(', ')}`);
  if (unreachable.length > 0) {
    output.line(`Left out, for they never answered: ${unreachable.join(', ')}`);
    output.line(
      snapshot.operation === 'reset'
        ? 'What is on them stays: wipe them before reuse. The same command gives them back once they answer.'
        : 'They are not part of the cluster. The same command takes them in once they answer.',
    );
  }
  for (const line of left) output.line(`Left to do: ${line}.`);
  if (result.drill !== undefined) tellDrill(output, result.drill);
  return code;
}

/** A drill that came to its end may have failed all the same: by what went wrong, and by what it did not come to. */
function codeOf({ unreachable = [], drill }: RunResult): ExitCode {
  if (unreachable.length > 0) return EXIT.incomplete;
  return drill?.problems === undefined && drill?.left === undefined ? EXIT.ok : EXIT.failed;
}

/** Tells what a drill has measured. */
export function tellDrill(output: Output, report: DrillReport): void {
  if (output.json) output.object({ type: 'drill', ...report });
  else for (const line of drillLines(report, output.theme, Date.now())) output.line(line);
}

/** What steps have left to a person, in their words. */
function leftToDo({ progress }: RunSnapshot): string[] {
  return progress.steps.flatMap(({ data }) => (typeof data?.leftToDo === 'string' ? [data.leftToDo] : []));
}

function endingSentence(snapshot: RunSnapshot): string {
  const { result, progress, operation } = snapshot;
  const time = duration(lasted(snapshot));
  const steps = plural(progress.steps.length, 'step');
  if (operation !== undefined) {
    const { noun } = OPERATIONS[operation].words;
    return `The ${noun} of ${progress.cluster} is done: ${steps}, ${result?.changed} of them changed something, in ${time}.`;
  }
  if (result?.changed === 0)
    return `${progress.cluster} is installed already: nothing to change (${steps} looked at in ${time}).`;
  return `${progress.cluster} is installed: ${steps}, ${result?.changed} of them changed something, in ${time}.`;
}

function lasted(snapshot: RunSnapshot): number {
  return (snapshot.closedAt ?? Date.now()) - snapshot.startedAt;
}

/**
 * Tells that time is up before the install was over: nothing has failed, and it goes on.
 *
 * @param rest what goes on where, in one clause
 */
export function tellTimeout(
  output: Output,
  cluster: string,
  timeoutMs: number,
  { rest, goOn, noun = 'install' }: { rest: string; goOn: string; noun?: string },
): ExitCode {
  if (output.json) output.object({ type: 'timeout', cluster, timeoutMs });
  output.note(`\n${cluster} is not finished after ${duration(timeoutMs)}. The ${noun} ${rest}.`);
  output.note(`  follow it:  kubewright watch ${cluster}`);
  output.note(`  or:         ${goOn}`);
  output.note(`  end it:     kubewright abort --cluster ${cluster}`);
  return EXIT.timeout;
}

/**
 * Tells why a command leaves while only a person can go on: which run it is, since when it waits, and every way on. Whoever
 * reads this may have come to a run that somebody else has started days ago.
 *
 * @param goOn the command that follows the run again
 */
export function tellBlocked(output: Output, snapshot: RunSnapshot, goOn: string, now = Date.now()): ExitCode {
  const { progress, runId, startedAt } = snapshot;
  const { blocked, cluster } = progress;
  const run = `The run was started at ${utcMinute(startedAt)} UTC (run ${runId}).`;
  if (blocked.length === 0) {
    const paused = progress.steps.filter(({ state }) => state === 'running').map(({ id }) => id);
    const names = firstNames(paused, NAMED);
    const is = paused.length === 1 ? 'is' : 'are';
    output.note(`\n${cluster} waits for a person: ${names} ${is} paused in Temporal. ${run}`);
    output.note('  let it go on:  `Unpause` the activity in Temporal');
    output.note(`  then:          ${goOn}`);
    return EXIT.blocked;
  }
  const since = Math.min(...blocked.map((step) => step.since));
  const waits = blocked.length === 1 ? `${blocked[0]?.step} waits` : `${blocked.length} steps wait`;
  output.note(`\n${cluster}: ${waits} for a person since ${utcMinute(since)} UTC (${elapsed(now - since)}). ${run}`);
  for (const [lead, command] of waysOn(blocked, cluster)) output.note(`  ${pad(lead, LEAD)}${command}`);
  output.note(`  ${pad('then:', LEAD)}${goOn}`);
  return EXIT.blocked;
}

/** Columns of what stands before a command. */
const LEAD = 22;

/** Steps, or commands, that are named: `kubewright status` shows the others. */
const NAMED = 5;

function waysOn(blocked: BlockedStep[], cluster: string): [lead: string, way: string][] {
  return [
    ['the cause is mended:', retryCommand(selectorOf(blocked, blocked) ?? '', cluster)],
    ...waysToSkip(blocked, cluster).map((way): [string, string] => ['go on without:', way]),
    ['give it up:', `kubewright abort --cluster ${cluster} --reason '…'`],
  ];
}

/** By the most that one command can leave out: everything, then a step of all hosts, then one after the other. */
function waysToSkip(blocked: BlockedStep[], cluster: string): string[] {
  const skippable = blocked.filter((step) => step.skippable);
  if (skippable.length === 0)
    return [`refused: the cluster is not whole without ${blocked.length === 1 ? 'it' : 'them'}`];
  const verbs = [...new Set(skippable.map(({ step }) => verbOf(step)))];
  const ofVerb = (verb: string) => skippable.filter(({ step }) => verbOf(step) === verb);
  const whole = selectorOf(skippable, blocked);
  const names =
    whole !== undefined
      ? [whole]
      : verbs.flatMap((verb) => selectorOf(ofVerb(verb), blocked) ?? ofVerb(verb).map(({ step }) => step));
  const rest = names.length - NAMED;
  const ways = names.slice(0, NAMED).map((name) => skipCommand(name, cluster));
  return rest > 0 ? [...ways, `and ${rest} more: kubewright status ${cluster} shows them`] : ways;
}
