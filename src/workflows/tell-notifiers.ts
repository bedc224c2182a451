import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { WorkerActivities } from '../activities/types.js';
import type { HealthChannel } from '../cluster/health/settings.js';
import type { HealthFinding, RunInput, TellReference } from '../plan/run.js';
import { channelsOf, eventFor, type Told, type ToldChannels, toldOf } from '../plan/told.js';
import { newsOf, type VerdictNews } from '../plan/verdict-news.js';
import { BACK_OFF, HEARTBEAT_TIMEOUT } from './engine/recoverable-step.js';
import type { HealthReport } from './reports.js';
import type { FailureDetails } from './types.js';

/** What came of telling. */
export interface Telling {
  /** What each channel knows from now on; missing where nothing can be said of that. */
  told?: ToldChannels;
  /** Channels that could not be told, KW686. */
  findings: HealthFinding[];
}

/**
 * Tells each channel of a check's file what it does not know yet, all side by side, and none for longer than a minute. A failure fails
 * nothing: it is a finding, and since the channel then still knows what it knew before, the next check tells it.
 */
export async function tellNotifiers(input: RunInput, report: HealthReport): Promise<Telling> {
  const { check } = input;
  // What is found while an operation changes the cluster is the change; scheduled checks are left out then.
  if (check?.during !== undefined) return { told: check.told, findings: [] };
  // Rather twice than never; but of a cluster that is well, what was told stays to be read by the next check.
  if (check?.told === undefined && report.verdict === 'ok') return { findings: [] };
  const before = check?.told ?? {};
  const channels = channelsOf(input.cluster.health);
  const all = await Promise.all(channels.map((channel) => tell({ channel, told: before[channel] }, input, report)));
  const known = Object.fromEntries(all.flatMap(({ channel, told }) => (told === undefined ? [] : [[channel, told]])));
  return {
    // A check by another file may name other channels: what those know is kept for the next one that does.
    told: { ...before, ...known },
    findings: all.flatMap(({ finding }) => (finding === undefined ? [] : [finding])),
  };
}

interface Channel {
  channel: HealthChannel;
  /** What it was told last. */
  told: Told | undefined;
}

async function tell(
  { channel, told }: Channel,
  input: RunInput,
  report: HealthReport,
): Promise<Channel & Partial<Failed>> {
  const event = eventFor(report, told);
  if (event === undefined) return { channel, told: told ?? toldOf(report) };
  const id = `${report.cluster}-${workflowInfo().runId}`;
  const news = newsOf(report, { id, event, told, before: input.check?.previous ?? [] });
  try {
    const { undelivered } = await deliver(channel, input, news);
    const finding = undelivered === undefined ? {} : { finding: untold(channel, undelivered.what, undelivered.hint) };
    return { channel, told: toldOf(report), ...finding };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return { channel, told, finding: failure(channel, error) };
  }
}

interface Failed {
  finding: HealthFinding;
}

function deliver(channel: HealthChannel, { planHash }: RunInput, news: VerdictNews) {
  const { workflowId, runId, firstExecutionRunId: first } = workflowInfo();
  const { tellChannel } = proxyActivities<WorkerActivities>({
    activityId: `notify/${channel}`,
    summary: `Tell by ${channel}: ${news.verdict}, ${news.event}`,
    startToCloseTimeout: '30 seconds',
    // Also where no worker takes it up: the report waits for it.
    scheduleToCloseTimeout: '1 minute',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { ...BACK_OFF, maximumAttempts: 3 },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  });
  const reference: TellReference = { root: { workflowId, runId, first }, planHash, channel, news };
  return tellChannel(reference);
}

function failure(channel: HealthChannel, { cause }: ActivityFailure): HealthFinding {
  if (cause instanceof ApplicationFailure) {
    const { hint } = (cause.details?.[0] ?? {}) as FailureDetails;
    return untold(channel, cause.message, hint);
  }
  const why = cause instanceof TimeoutFailure ? 'it was not done in time' : (cause?.message ?? 'nobody knows why');
  return untold(channel, why, undefined);
}

function untold(channel: HealthChannel, why: string, hint: string | undefined): HealthFinding {
  const evidence = `the ${channel} of health.notify was not told of the verdict: ${why}`;
  return { code: 'KW686', host: null, evidence, hint: hint ?? 'The next check tries it again.' };
}
