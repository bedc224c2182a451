import { defaultPayloadConverter } from '@temporalio/common';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type BackgroundReader, readBackground } from '../../../src/engine/runs/check-background.js';
import { reportOf } from '../../../src/engine/runs/check-reports.js';

afterEach(() => {
  vi.useRealTimers();
});

/** A server of which every question comes to this. */
function server(answer: () => Promise<never>): BackgroundReader {
  const service = new Proxy({}, { get: () => answer });
  return { workflowService: service, operatorService: service, namespace: 'prod', converter: {} } as BackgroundReader;
}

interface Ended {
  memo: object;
  report?: object;
}

/** A server on which these checks have ended, the latest first; nothing changes the cluster. */
function withChecks(ended: Ended[], operation?: object): BackgroundReader {
  const payload = (value: unknown) => defaultPayloadConverter.toPayload(value);
  const workflowService = {
    listWorkflowExecutions: async () => ({
      executions: ended.map(({ memo }, index) => ({
        execution: { workflowId: 'check/demo', runId: String(index) },
        memo: { fields: { health: payload(memo) } },
      })),
    }),
    getWorkflowExecutionHistory: async ({ execution }: { execution: { runId: string } }) => {
      const result = { payloads: [payload(ended[Number(execution.runId)]?.report)] };
      return { history: { events: [{ workflowExecutionCompletedEventAttributes: { result } }] } };
    },
    describeWorkflowExecution: async () => {
      if (operation === undefined) throw new Error('5 NOT_FOUND');
      return { workflowExecutionInfo: { type: { name: 'installCluster' }, ...operation } };
    },
  };
  const operatorService = { listSearchAttributes: async () => ({ customAttributes: { KubewrightHealth: 2 } }) };
  const converter = loadDataConverter();
  return { workflowService, operatorService, namespace: 'prod', converter } as unknown as BackgroundReader;
}

const report = (verdict: string, at: number, ...findings: object[]) => ({
  memo: { verdict },
  report: { cluster: 'demo', verdict, at, looks: 5, findings },
});
const skipped: Ended = { memo: { skipped: 'install' } };

describe('what a check knows of the one before', () => {
  it('is what that has found, whatever number of checks was left out since', async () => {
    const notReady = { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', since: 100 };
    const older = report('degraded', 500, { ...notReady, code: 'KW601' });
    const reader = withChecks([...Array(30).fill(skipped), report('degraded', 900, notReady), older]);
    expect(await readBackground(reader, 'demo')).toEqual({ previous: [notReady], told: {}, healthAttribute: true });
  });

  it('goes back to one that could look at something', async () => {
    const away = { code: 'KW201', host: 'cp-1', evidence: 'no connection' };
    const notReady = { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', since: 100 };
    const reader = withChecks([report('unknown', 900, away), report('degraded', 500, notReady, { ...away, since: 5 })]);
    const { previous } = await readBackground(reader, 'demo');
    // Of what both have found the later one says since when.
    expect(previous).toEqual([{ ...away, since: 900 }, notReady]);
  });
});

describe('what a check knows of trends', () => {
  const disk = (...minutes: number[]) => ({
    host: 'w-1',
    mount: '/',
    of: 'space',
    total: 100,
    samples: minutes.map((minute) => [minute, 30]),
  });
  const seeing = (at: number, ...minutes: number[]) => {
    const { memo, report: all } = report('ok', at);
    return { memo, report: { ...all, seen: { etcdLeader: 'cp-1', disks: [disk(...minutes)] } } };
  };
  const ended = (minute: number) => ({ status: 2, closeTime: { seconds: minute * 60 + 30 } });
  const trendsBefore = async (checks: Ended[], operation?: object) =>
    (await readBackground(withChecks(checks, operation), 'demo')).before;

  it('is what the last one has seen that was not left out', async () => {
    const checks = [skipped, seeing(900, 10, 20), seeing(800, 5)];
    expect(await trendsBefore(checks)).toEqual({ disks: [disk(10, 20)], members: [] });
    expect(await trendsBefore([report('ok', 900), seeing(800, 5)])).toBeUndefined();
    expect(await trendsBefore([])).toBeUndefined();
  });

  it('is what was seen since an operation has ended, for that has changed the hosts', async () => {
    expect(await trendsBefore([seeing(900, 10, 20)], ended(10))).toEqual({ disks: [disk(20)], members: [] });
    expect(await trendsBefore([seeing(900, 10, 20)], ended(9))).toEqual({ disks: [disk(10, 20)], members: [] });
    expect(await trendsBefore([seeing(900, 10, 20)], ended(20))).toBeUndefined();
    expect(await trendsBefore([seeing(900, 10, 20)], { status: 1, startTime: { seconds: 1 } })).toBeUndefined();
  });
});

describe('what a quick check knows of the latest deep one', () => {
  const quick = (at: number): Ended => ({ ...report('ok', at), memo: { verdict: 'ok', depth: 'quick' } });
  const broken = { code: 'KW483', host: 'w-1', evidence: 'no DNS', look: 'cluster/dns', since: 100 };

  it('is what that has found, whatever number of quick ones have ended since', async () => {
    const reader = withChecks([
      ...Array(30).fill(quick(900)),
      skipped,
      report('degraded', 500, broken),
      report('ok', 400),
    ]);
    expect((await readBackground(reader, 'demo', 'quick')).deep).toEqual({ at: 500, findings: [broken] });
  });

  it('is nothing where there is none, and a deep check does not ask', async () => {
    expect((await readBackground(withChecks([quick(900)]), 'demo', 'quick')).deep).toBeUndefined();
    expect((await readBackground(withChecks([report('ok', 900)]), 'demo')).deep).toBeUndefined();
  });
});

describe('what was told last', () => {
  const told = { webhook: { at: 500, verdict: 'degraded', found: ['0a1b2c3d'] } };
  const quiet = (verdict: string): Ended => ({ memo: { verdict }, report: report(verdict, 900).report });

  it('is read from the last check that says so, whatever was left out or could not read it since', async () => {
    const last = { memo: { verdict: 'degraded', told }, report: report('degraded', 500).report };
    const older = { memo: { told: { webhook: { at: 1, verdict: 'ok', found: [] } } } };
    const checks = [quiet('ok'), ...Array(150).fill(skipped), last, older];
    expect((await readBackground(withChecks(checks), 'demo')).told).toEqual(told);
  });

  it('is nothing where the last ten checks say nothing of it, and no further one is asked for', async () => {
    const checks = [...Array(10).fill(quiet('ok')), { memo: { told } }];
    expect((await readBackground(withChecks(checks), 'demo')).told).toEqual({});
  });
});

describe('a report of earlier code', () => {
  const finding = { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', hint: '' };
  const check = { workflowId: 'check/demo', runId: '0', closedAt: 900 };

  it.each([
    ['ok', { findings: [] }],
    ['degraded', { findings: [finding] }],
    ['degraded', { findings: [], more: 2 }],
    ['down', { findings: [finding], verdict: 'down' }],
  ])('has the verdict %s where it found %j', async (verdict, found) => {
    const written = { cluster: 'demo', at: 900, looks: 5, ...found };
    const reader = withChecks([{ memo: {}, report: written }]);
    expect(await reportOf(reader, check)).toEqual({ ...written, verdict });
  });

  it('is missing where its retention is over', async () => {
    expect(await reportOf(withChecks([{ memo: {} }]), check)).toBeUndefined();
  });
});

describe('what a check knows of Temporal', () => {
  it('is nothing where Temporal refuses to tell: the check goes on, and writes no attribute', async () => {
    const refusing = server(() => Promise.reject(new Error('7 PERMISSION_DENIED')));
    expect(await readBackground(refusing, 'demo')).toEqual({ healthAttribute: false });
  });

  it('is nothing where Temporal does not answer: five seconds are all that it waits', async () => {
    vi.useFakeTimers();
    const silent = server(() => new Promise<never>(() => {}));
    const reading = readBackground(silent, 'demo');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await reading).toEqual({ healthAttribute: false });
  });
});
