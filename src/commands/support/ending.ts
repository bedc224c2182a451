import type { InstallSnapshot } from '../../engine/index.js';
import { KubewrightError } from '../../errors.js';
import type { Output } from '../../terminal/output.js';
import { duration, plural } from '../../terminal/text.js';
import { EXIT, type ExitCode } from './shell.js';

/**
 * Tells how a run ended.
 *
 * @throws KubewrightError with the run's own failure when it did not end well
 */
export function tellEnding(output: Output, snapshot: InstallSnapshot): ExitCode {
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
  if (output.json) {
    output.object({ type: 'result', ...result, durationMs: lasted(snapshot) });
    return EXIT.ok;
  }
  output.line();
  output.line(endingSentence(snapshot));
  if (result.skipped.length > 0) output.line(`Left out by decision: ${result.skipped.join(', ')}`);
  return EXIT.ok;
}

function endingSentence(snapshot: InstallSnapshot): string {
  const { result, progress } = snapshot;
  const time = duration(lasted(snapshot));
  const steps = plural(progress.steps.length, 'step');
  if (result?.changed === 0)
    return `${progress.cluster} is installed already: nothing to change (${steps} looked at in ${time}).`;
  return `${progress.cluster} is installed: ${steps}, ${result?.changed} of them changed something, in ${time}.`;
}

function lasted(snapshot: InstallSnapshot): number {
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
  { rest, goOn }: { rest: string; goOn: string },
): ExitCode {
  if (output.json) output.object({ type: 'timeout', cluster, timeoutMs });
  output.note(`\n${cluster} is not finished after ${duration(timeoutMs)}. The install ${rest}.`);
  output.note(`  follow it:  kubewright watch ${cluster}`);
  output.note(`  or:         ${goOn}`);
  output.note(`  end it:     kubewright abort --cluster ${cluster}`);
  return EXIT.timeout;
}

/** Tells why a command leaves while steps are blocked, on a stream that is read, and with which code. */
export function tellBlocked(output: Output, cluster: string, goOn: string): ExitCode {
  output.note(`\n${cluster} waits for a decision. Mend the cause, send the decision shown above, then: ${goOn}`);
  return EXIT.blocked;
}
