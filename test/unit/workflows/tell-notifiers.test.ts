import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { HealthChannels } from '../../../src/cluster/health/settings.js';
import type { CheckBackground, RunInput, TellReference } from '../../../src/plan/run.js';
import { toldOf } from '../../../src/plan/told.js';
import type { HealthReport } from '../../../src/workflows/reports.js';
import { tellNotifiers } from '../../../src/workflows/tell-notifiers.js';
import { clusterOf } from '../cluster-fixture.js';

const { fakeTellChannel, options } = vi.hoisted(() => ({ fakeTellChannel: vi.fn(), options: [] as object[] }));
vi.mock('@temporalio/workflow', async (original) => ({
  ...(await original<object>()),
  isCancellation: () => false,
  proxyActivities: (given: object) => {
    options.push(given);
    return { tellChannel: fakeTellChannel };
  },
  workflowInfo: () => ({ workflowId: 'check/demo', runId: 'run-2', firstExecutionRunId: 'run-1' }),
}));

beforeEach(() => {
  fakeTellChannel.mockReset().mockResolvedValue({});
  options.length = 0;
});

const AT = 1_000_000;
const DEGRADED: HealthReport = {
  cluster: 'demo',
  at: AT,
  verdict: 'degraded',
  looks: 7,
  findings: [{ code: 'KW601', host: 'cp-1', evidence: 'not ready', hint: '' }],
};
const WELL: HealthReport = { ...DEGRADED, verdict: 'ok', findings: [] };

const webhook = { url: 'https://a.example', urlEnv: null, tokenEnv: null, ca: null, format: 'json' as const };

/** What comes of telling, by a file that names a webhook and a command. */
function tell(report: HealthReport, check?: CheckBackground) {
  const notify: HealthChannels = { webhook, mail: null, command: ['/bin/page'] };
  const cluster = { ...clusterOf({ controlPlanes: 1, workers: 0 }), health: { notify } };
  const input: RunInput = { cluster, plan: [], planHash: 'hash', build: 'b', ...(check && { check }) };
  return tellNotifiers(input, report);
}

const channels = () => fakeTellChannel.mock.calls.map(([reference]) => (reference as TellReference).channel);

/** As an activity's failure arrives. */
function failed(cause: Error): ActivityFailure {
  return new ActivityFailure(
    'failed',
    'tellChannel',
    'notify/webhook',
    RetryState.MAXIMUM_ATTEMPTS_REACHED,
    'me',
    cause,
  );
}

describe('telling', () => {
  it('tells each channel that does not know, by reference and in few words, and remembers that', async () => {
    expect(await tell(DEGRADED, { told: {} })).toEqual({
      told: { webhook: toldOf(DEGRADED), command: toldOf(DEGRADED) },
      findings: [],
    });
    expect(fakeTellChannel).toHaveBeenCalledWith({
      root: { workflowId: 'check/demo', runId: 'run-2', first: 'run-1' },
      planHash: 'hash',
      channel: 'webhook',
      news: expect.objectContaining({ id: 'demo-run-2', event: 'changed', verdict: 'degraded', previous: null }),
    });
    expect(options).toMatchObject([{ activityId: 'notify/webhook' }, { activityId: 'notify/command' }]);
  });

  it('tells nobody who knows, and remembers when they were told', async () => {
    const told = { webhook: toldOf({ ...DEGRADED, at: 5 }), command: toldOf({ ...DEGRADED, at: 5 }) };
    expect(await tell(DEGRADED, { told })).toEqual({ told, findings: [] });
    expect(channels()).toEqual([]);
  });

  it('begins with a cluster that is well without a word', async () => {
    expect(await tell(WELL, { told: {} })).toMatchObject({ told: { webhook: { verdict: 'ok', found: [] } } });
    expect(channels()).toEqual([]);
  });

  it('of a channel that fails remembers what it knew, and finds that; the others are told', async () => {
    const told = { webhook: toldOf({ ...WELL, at: 5 }), command: toldOf({ ...WELL, at: 5 }) };
    const cause = ApplicationFailure.create({
      type: 'KW686',
      message: 'it answered with 500',
      details: [{ hint: 'Look.' }],
    });
    fakeTellChannel.mockImplementation(({ channel }: TellReference) =>
      channel === 'webhook' ? Promise.reject(failed(cause)) : Promise.resolve({}),
    );
    expect(await tell(DEGRADED, { told })).toEqual({
      told: { webhook: told.webhook, command: toldOf(DEGRADED) },
      findings: [
        {
          code: 'KW686',
          host: null,
          evidence: 'the webhook of health.notify was not told of the verdict: it answered with 500',
          hint: 'Look.',
        },
      ],
    });
  });

  it('finds whom a message did not reach, and does not send it again', async () => {
    fakeTellChannel.mockResolvedValue({ undelivered: { what: 'no mail for nobody@example.org', hint: 'Correct it.' } });
    const { told, findings } = await tell(DEGRADED, { told: { command: toldOf(DEGRADED) } });
    expect(told?.webhook).toEqual(toldOf(DEGRADED));
    expect(findings).toMatchObject([{ code: 'KW686', evidence: expect.stringContaining('nobody@example.org') }]);
  });

  it('tells nobody what is found while an operation changes the cluster', async () => {
    const during = { operation: 'install', workflowId: 'cluster/demo', since: 1 } as const;
    const told = { webhook: toldOf(WELL) };
    expect(await tell(DEGRADED, { told, during })).toEqual({ told, findings: [] });
    expect(channels()).toEqual([]);
  });

  it('tells rather twice than never where it cannot be read what was told; of a cluster that is well that is left to the next', async () => {
    expect((await tell(DEGRADED)).told).toMatchObject({ webhook: { verdict: 'degraded' } });
    expect(channels()).toEqual(['webhook', 'command']);
    expect(await tell(WELL)).toEqual({ findings: [] });
  });

  it('keeps what channels know that this file does not name', async () => {
    const mail = toldOf({ ...DEGRADED, at: 5 });
    expect((await tell(DEGRADED, { told: { mail } })).told?.mail).toEqual(mail);
    expect(channels()).toEqual(['webhook', 'command']);
  });
});
