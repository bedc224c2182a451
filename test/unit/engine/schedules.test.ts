import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { describe, expect, it } from 'vitest';
import { scheduleIdOf, scheduleOfId } from '../../../src/engine/schedule-keys.js';
import { listHealthSchedules, scheduleHealth } from '../../../src/engine/schedules.js';
import type { Engine } from '../../../src/engine/types.js';
import { clusterOf } from '../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 1 });

/** A server whose last check of the healthy cluster took 20 s, with a schedule of this interval, or none. */
function withSchedule(thereMs?: number): { engine: Engine; written: () => number | undefined } {
  let everyMs = thereMs;
  const write = ({ spec }: { spec: { intervals: { every: number }[] } }) => {
    everyMs = spec.intervals[0]?.every;
  };
  const none = () => Promise.reject(new ScheduleNotFoundError('none', 'health/demo/quick'));
  const noQuick = { describe: none, update: none, delete: none };
  const handle = {
    describe: async () => {
      if (everyMs === undefined) throw new ScheduleNotFoundError('none', 'health/demo');
      const info = { nextActionTimes: [], createdAt: new Date(0) };
      return { spec: { intervals: [{ every: everyMs }] }, state: { paused: false }, info };
    },
    update: async (change: (previous: object) => Parameters<typeof write>[0]) => write(change({})),
  };
  const schedule = {
    create: async (definition: Parameters<typeof write>[0]) => {
      if (everyMs !== undefined) throw new ScheduleAlreadyRunning('there', 'health/demo');
      write(definition);
    },
    getHandle: (id: string) => (id.endsWith('/quick') ? noQuick : handle),
    list: async function* () {
      yield { scheduleId: 'health/demo' };
    },
  };
  const report = { cluster: cluster.name, verdict: 'ok', at: 1, looks: 5, findings: [], tookMs: 20_000 };
  const result = { payloads: [defaultPayloadConverter.toPayload(report)] };
  const workflowService = {
    listWorkflowExecutions: async () => ({
      executions: [{ execution: { workflowId: `check/${cluster.name}`, runId: 'r' } }],
    }),
    getWorkflowExecutionHistory: async () => ({
      history: { events: [{ workflowExecutionCompletedEventAttributes: { result } }] },
    }),
  };
  const client = { schedule, workflowService, options: { loadedDataConverter: loadDataConverter() } };
  const engine = { client, settings: { namespace: 'prod' }, taskQueue: 'q', searchAttributes: false };
  return { engine: engine as unknown as Engine, written: () => everyMs };
}

describe('an interval that is shorter than the last check took', () => {
  it('is refused to a cluster without a schedule', async () => {
    const { engine, written } = withSchedule();
    await expect(scheduleHealth(engine, cluster, 15_000)).rejects.toMatchObject({ code: 'KW685' });
    expect(written()).toBeUndefined();
  });

  it('is refused where the schedule has another one', async () => {
    const { engine, written } = withSchedule(300_000);
    await expect(scheduleHealth(engine, cluster, 15_000)).rejects.toMatchObject({ code: 'KW685' });
    expect(written()).toBe(300_000);
  });

  it('stays where the schedule has it already', async () => {
    const { engine, written } = withSchedule(15_000);
    expect(await scheduleHealth(engine, cluster, 15_000)).toMatchObject({ everyMs: 15_000 });
    expect(written()).toBe(15_000);
  });
});

describe('quick checks', () => {
  it('have to be more frequent than the others', async () => {
    for (const quick of [300_000, 600_000]) {
      const { engine, written } = withSchedule();
      await expect(scheduleHealth(engine, cluster, 300_000, quick)).rejects.toMatchObject({ code: 'KW607' });
      expect(written()).toBeUndefined();
    }
  });

  it('need their ten seconds, too', async () => {
    const { engine } = withSchedule();
    await expect(scheduleHealth(engine, cluster, 300_000, 5_000)).rejects.toMatchObject({ code: 'KW605' });
  });
});

describe('the id of a schedule', () => {
  it.each(['deep', 'quick', 'drill'] as const)('says whose it is, and that it is a %s one', (kind) => {
    const key = { cluster: 'demo', kind };
    expect(scheduleOfId(scheduleIdOf(key))).toEqual(key);
  });

  it('of others is none', () => {
    expect(scheduleOfId('kept/health/demo')).toBeUndefined();
  });
});

it('a list leaves out a schedule that was removed while it was made', async () => {
  expect(await listHealthSchedules(withSchedule(300_000).engine)).toMatchObject([
    { cluster: 'demo', everyMs: 300_000 },
  ]);
  expect(await listHealthSchedules(withSchedule().engine)).toEqual([]);
});
