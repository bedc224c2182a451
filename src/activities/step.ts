import { isKubewrightError, KubewrightError, messageOf } from '../errors.js';
import { redact } from '../hosts/redact.js';
import { DATA_LIMIT, FINDINGS_LIMIT, type HealthFinding, MEASURED_LIMIT, type StepOutput } from '../plan/run.js';
import { fitting } from '../plan/sight.js';
import { lookUntil, notYet, seen } from '../waiting.js';
import type { Probe, StepContext, StepImplementation } from './types.js';

/**
 * Carries out one step: probe, and only where the post-condition does not hold, apply and probe again (verify).
 *
 * @throws KubewrightError as the implementation throws it, completed with host and step; KW430 when `apply` went through
 * but the post-condition still does not hold, KW433 (transient) when nobody tells whether it does
 */
export async function carryOut(implementation: StepImplementation, context: StageContext): Promise<StepOutput> {
  try {
    context.stage('probe');
    const before = await implementation.probe(context);
    if (before.done) {
      const looked = { ...findingsOf(before), ...(before.seen === undefined ? {} : { seen: fitting(before.seen) }) };
      return { outcome: 'unchanged', summary: summaryOf(before), ...dataOf(before), ...looked, ...measuredBy(before) };
    }
    context.stage('apply', implementation.withoutLease !== true);
    await implementation.apply(context, before);
    context.stage('verify');
    const after = await settled(implementation, context);
    if (!after.done) throw after.unasked === undefined ? notVerified(after) : notTold(after.unasked);
    // A check that a person has made pass, or hosts that are given back, are no change.
    const outcome = implementation.withoutLease === true ? 'unchanged' : 'changed';
    return { outcome, summary: `${summaryOf(after)}${keptBy(context)}`, ...dataOf(after), ...measuredBy(after) };
  } catch (error) {
    throw completed(error, context);
  }
}

/** The first probe behind `apply` that finds the post-condition, or the last one there was time for. */
async function settled({ probe, settlesMs = 0 }: StepImplementation, context: StageContext): Promise<Probe> {
  let last = await probe(context);
  if (last.done || settlesMs === 0) return last;
  const look = async () => {
    last = await probe(context);
    return last.done ? seen(last) : notYet(`waiting: ${last.found}`);
  };
  const { signal, progress } = context;
  await lookUntil(look, { patienceMs: settlesMs, everyMs: SETTLING_LOOK_MS, signal, progress });
  return last;
}

const SETTLING_LOOK_MS = 1_000;

/** A history and the answer of a query hold it for every step: a step that hands on more has a defect. */
function dataOf({ data }: Probe): Pick<StepOutput, 'data'> {
  if (data === undefined) return {};
  const size = Buffer.byteLength(JSON.stringify(data));
  if (size > DATA_LIMIT) throw new Error(`it hands on ${size} bytes, more than ${DATA_LIMIT}`);
  return { data };
}

function measuredBy({ measured }: Probe): Pick<StepOutput, 'measured'> {
  if (measured === undefined) return {};
  const size = Buffer.byteLength(JSON.stringify(measured));
  if (size > MEASURED_LIMIT) throw new Error(`it reports ${size} bytes of measurements, more than ${MEASURED_LIMIT}`);
  return { measured };
}

/** As many as fit; a fault that all hosts share is known by then. */
function findingsOf({ findings = [] }: Probe): Pick<StepOutput, 'findings' | 'more'> {
  if (findings.length === 0) return {};
  let size = 0;
  const named = findings.map(redacted).filter((finding) => {
    size += Buffer.byteLength(JSON.stringify(finding));
    return size <= FINDINGS_LIMIT;
  });
  const more = findings.length - named.length;
  return { findings: named, ...(more === 0 ? {} : { more }) };
}

function redacted(finding: HealthFinding): HealthFinding {
  return { ...finding, evidence: redact(finding.evidence).slice(0, EVIDENCE_LIMIT) };
}

const EVIDENCE_LIMIT = 1_000;

function summaryOf({ found, warnings = [] }: Probe): string {
  return warnings.length === 0 ? found : `${found}; warning: ${warnings.join('; warning: ')}`;
}

/** Nothing that was a person's is replaced without a word: where it lies now. */
function keptBy({ kept }: StageContext): string {
  return kept.length === 0 ? '' : `; kept what was there: ${kept.join(', ')}`;
}

/** A step's context that is told which of the three stages it is in. */
export interface StageContext extends StepContext {
  /** What was replaced and kept so far: path and name of the copy. */
  readonly kept: readonly string[];
  /** @param changesHosts whether what is done on hosts from here on needs them held; default false */
  stage(name: 'probe' | 'apply' | 'verify', changesHosts?: boolean): void;
}

/** "I could not ask" is no "no": it is asked again for as long as patience lasts, and counts for no failed try. */
function notTold(why: string): KubewrightError {
  return new KubewrightError('KW433', `the step went through, and its result is not known: ${why}`, {
    transient: true,
    hint: 'It is asked again by itself; if it stays so, mend what the message names.',
  });
}

function notVerified(after: Probe): KubewrightError {
  return new KubewrightError('KW430', `the step went through, but its result does not hold: ${after.found}`, {
    hint: `Still to do there: ${after.changes.join('; ') || 'see above'}. Look at the host, mend the cause, then retry the step.`,
  });
}

/** Adds host and step where the thrower did not know them, and takes secrets out of what people will read. */
function completed(error: unknown, context: StepContext): unknown {
  // A cancellation must stay what it is: the SDK maps only its own class to "paused" and "reset" (temporal.md §1.1).
  if (context.signal.aborted) return error;
  if (!isKubewrightError(error)) {
    return new KubewrightError('KW499', `an error that Kubewright did not expect: ${redact(messageOf(error))}`, {
      host: context.step.host ?? undefined,
      step: context.step.id,
      hint: 'This is a defect in Kubewright. Please report it with the worker log; `retry` starts the step anew.',
      cause: error,
    });
  }
  return new KubewrightError(error.code, redact(error.message), {
    host: error.host ?? context.step.host ?? undefined,
    step: error.step ?? context.step.id,
    hint: error.hint,
    output: error.output === undefined ? undefined : redact(error.output),
    transient: error.transient,
    cause: error,
  });
}
