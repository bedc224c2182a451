import { describe, expect, it } from 'vitest';
import { merged, workOn, worthSaying } from '../../../src/dashboard/page/state.js';
import type { OperationView } from '../../../src/dashboard/told.js';
import { dayOf } from '../../../src/dashboard/view/day.js';
import { drillsOf } from '../../../src/dashboard/view/drills.js';
import { operationOf } from '../../../src/dashboard/view/operation.js';
import { overviewOf } from '../../../src/dashboard/view/overview.js';
import type { RunListing } from '../../../src/engine/index.js';
import { moment } from '../commands/engine.js';
import { BALANCER, DRILL } from '../terminal/drills.js';
import { at, BLOCKED, preparing } from '../terminal/snapshots.js';

const preparingView = () => operationOf(moment(preparing(), { runId: 'run-1' }));

describe('an operation', () => {
  it('has its steps with what is tried of them, and nothing in it steers anything', () => {
    const view = preparingView();
    expect(view).toMatchObject({ title: 'Install demo', word: 'installing', tone: 'busy', total: 14, ended: 7 });
    expect(view.phases.map(({ name }) => name)).toEqual(['preflight', 'prepare', 'control-plane', 'workers', 'verify']);
    expect(view.steps.find(({ id }) => id === 'cp-2/packages')).toMatchObject({
      state: 'running',
      attempt: 3,
      failure: expect.stringContaining('the connection was refused'),
      nextAttemptAt: at(16),
    });
    expect(JSON.stringify(view)).not.toContain('\\u001b');
  });

  it('has what a person needs to decide about a blocked step, with its output line by line', () => {
    const { progress, ...rest } = preparing();
    const blocked = { ...BLOCKED, message: `${BLOCKED.message}\u001b[2J` };
    const view = operationOf(moment({ ...rest, progress: { ...progress, state: 'blocked', blocked: [blocked] } }));
    expect(view).toMatchObject({ word: 'blocked', tone: 'bad' });
    expect(view.blocked[0]).toMatchObject({ step: 'cp-2/join', blocking: 1, code: 'KW431', message: BLOCKED.message });
    expect(view.blocked[0]?.lines).toContain('    [ERROR Port-10250]: Port 10250 is in use');
  });

  it('says that no worker answers, as `status` does', () => {
    expect(operationOf(moment(preparing(), { source: 'history' })).notes.join()).toContain('No worker answers in time');
  });
});

describe('the page', () => {
  it('puts steps that have changed into those that it knows', () => {
    const before = preparingView();
    const [first, second] = before.steps as [OperationView['steps'][0], OperationView['steps'][0]];
    const told = { ...before, isWhole: false, ended: 8, steps: [{ ...second, state: 'failed' as const }] };
    const now = merged(before, told);
    expect(now).toMatchObject({ isWhole: true, ended: 8 });
    expect(now?.steps).toHaveLength(before.steps.length);
    expect(now?.steps.slice(0, 2)).toEqual([first, { ...second, state: 'failed' }]);
    expect(merged(before, null)).toBeNull();
    expect(merged(null, before)).toBe(before);
  });

  it('says aloud what waits for a person and how it ended, and not each step', () => {
    const before = preparingView();
    const blocked = [{ ...BLOCKED, retrying: false, lines: [] }];
    expect(worthSaying(before, { ...before, blocked })).toContain('cp-2/join is blocked and waits for you');
    expect(worthSaying({ ...before, blocked }, { ...before, blocked })).toBeUndefined();
    expect(worthSaying(before, { ...before, word: 'installed' })).toBe('Install demo: installed.');
    expect(worthSaying(before, { ...before, ended: 9 })).toBeUndefined();
    expect(worthSaying(undefined, before)).toBeUndefined();
  });

  it('shows on a host what runs there, and what is blocked there first', () => {
    const view = preparingView();
    const steps = view.steps.map((step) =>
      step.id === 'cp-1/binaries' ? { ...step, state: 'blocked' as const } : step,
    );
    const work = workOn({ ...view, steps });
    expect(work.get('cp-1')).toEqual({ tone: 'bad', text: 'blocked: binaries' });
    expect(work.get('cp-2')).toEqual({ tone: 'busy', text: 'packages' });
    expect(work.has('w-1')).toBe(false);
    expect(workOn({ ...view, isRunning: false }).size).toBe(0);
  });
});

describe('the list of clusters', () => {
  const listing = (cluster: string, blocked: string[] = []): RunListing => {
    const run = { workflowId: `cluster/${cluster}`, runId: 'r', state: '', phase: '', startedAt: 0 };
    return { cluster, ...run, status: 'running', blocked };
  };

  it('begins with those that wait for a person, and has those that are only checked', () => {
    const drills = {
      cluster: 'a',
      everyMs: 2_592_000_000,
      paused: false,
      nextAt: Date.UTC(2026, 3, 1, 9, 30),
      changedAt: 0,
      options: {},
      underWay: false,
    };
    const schedules = [{ cluster: 'c', everyMs: 300_000, paused: true, changedAt: 0 }];
    const { clusters, schedules: told } = overviewOf([listing('b'), listing('a'), listing('z', ['cp-1/init'])], {
      value: { checks: schedules, drills: [drills] },
    });
    expect(clusters.map(({ cluster, word }) => [cluster, word])).toEqual([
      ['z', 'blocked'],
      ['a', 'running'],
      ['b', 'running'],
      ['c', 'checked'],
    ]);
    expect(told).toEqual([
      { cluster: 'c', what: 'health checks', rhythm: 'every 5 m, paused', tone: 'warn' },
      { cluster: 'a', what: 'drills', rhythm: 'every 30 d, next 2026-04-01 09:30 UTC', tone: 'good' },
    ]);
  });

  it('stays where the schedules cannot be read, and says why', () => {
    expect(overviewOf([listing('a')], { why: 'permission denied' })).toMatchObject({
      clusters: [{ cluster: 'a' }],
      schedulesUnread: 'permission denied',
    });
  });
});

it('the last day has a cell for each while, also for those without a check', () => {
  const rows = [{ component: 'api' as const, cells: ['ok' as const, null, 'skipped' as const] }];
  const view = dayOf({ cluster: 'demo', from: 0, to: 86_400_000, slotMs: 1_800_000, checks: 2, skipped: 1, rows });
  expect(view.rows).toEqual([{ component: 'api', cells: ['ok', 'none', 'skipped'] }]);
  expect(view.caption).toContain('2 checks, 1 of them left out');
  expect(view.legend.map(({ cell }) => cell)).toEqual(['ok', 'degraded', 'down', 'unknown', 'skipped', 'none']);
});

describe('drills', () => {
  it('are told with the last one in full, and those before it in a line each', () => {
    const problem = { step: 'cluster/power-health', code: 'KW675', message: 'it is not\u001b whole', hint: 'Look.' };
    const view = drillsOf([
      { ...DRILL, problems: [problem] },
      { ...DRILL, scenarios: [BALANCER] },
    ]);
    expect(view.last).toMatchObject({
      caption: '2 scenarios measured, 1 problem, ended 2026-03-02 09:30 UTC',
      tone: 'bad',
    });
    expect(view.last?.table?.rows[1]?.slice(0, 4)).toEqual(['power', 'cp-2', '900', '2600']);
    expect(view.last?.timeline?.words).toContain('power on cp-2: longest time without an answer: any answer 900 ms');
    expect(view.last?.timeline?.marks.filter(({ attributes }) => attributes.class === 'gap').length).toBeGreaterThan(3);
    expect(view.last?.problems).toEqual([
      { code: 'KW675', text: 'cluster/power-health: it is not whole', hint: 'Look.' },
    ]);
    expect(view.earlier).toEqual(['2026-03-02 09:30 UTC: 1 scenario measured; longest gap 1300 ms (write, balancer)']);
  });

  it('that were never made are none', () => {
    expect(drillsOf([])).toEqual({ earlier: [] });
  });
});
