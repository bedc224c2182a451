import { expect, it } from 'vitest';
import { type HealthHistory, historyOf } from '../../../src/engine/health-history.js';
import type { HealthMemo } from '../../../src/workflows/reports.js';

const check = (closedAt: number, memo?: HealthMemo) => ({
  workflowId: 'check/demo',
  runId: `${closedAt}`,
  closedAt,
  memo,
});
const cellsOf = ({ rows }: HealthHistory, name: string) => rows.find(({ component }) => component === name)?.cells;
const ok = { api: 'ok', etcd: 'ok' } as const;

it('a cell is the worst of its time, for each component by itself', () => {
  const checks = [
    check(100, { verdict: 'ok', components: ok }),
    check(110, { verdict: 'degraded', components: { api: 'degraded', etcd: 'ok' } }),
    check(120, { verdict: 'unknown', components: { api: 'unknown', etcd: 'unknown' } }),
    check(250, { verdict: 'down', components: { api: 'ok', etcd: 'down', hosts: 'degraded' } }),
    check(400, { verdict: 'ok', components: ok }),
  ];
  const history = historyOf('demo', checks, { from: 0, to: 400, slots: 4 });
  const { slotMs, checks: count } = history;
  expect({ slotMs, count }).toEqual({ slotMs: 100, count: 5 });
  expect(cellsOf(history, 'api')).toEqual([null, 'degraded', 'ok', 'ok']);
  expect(cellsOf(history, 'etcd')).toEqual([null, 'unknown', 'down', 'ok']);
  expect(cellsOf(history, 'hosts')).toEqual([null, null, 'degraded', null]);
});

it('that a check was left out shows where none looked', () => {
  const checks = [
    check(50, { skipped: 'install' }),
    check(60, { verdict: 'ok', components: ok }),
    check(150, { skipped: 'install' }),
    // Of earlier code, which left nothing in its memo.
    check(250),
  ];
  const history = historyOf('demo', checks, { from: 0, to: 300, slots: 3 });
  expect(cellsOf(history, 'api')).toEqual(['ok', 'skipped', null]);
  // The first one looked, if not at hosts.
  expect(cellsOf(history, 'hosts')).toEqual([null, 'skipped', null]);
  expect(history).toMatchObject({ checks: 4, skipped: 2 });
});
