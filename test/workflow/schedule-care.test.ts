import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { KeptSchedules } from '../../src/engine/schedule-care/kept-schedules.js';
import { moveToQueue, readStored, remake, restoreKept, type Writer } from '../../src/engine/schedule-care/stored.js';
import { changeHealthSchedule, scheduleHealth } from '../../src/engine/schedules.js';
import { type TestEngine, testCluster, testEngine } from './harness.js';

/** What a real server makes of it. No worker takes the queue: an hour's schedule starts nothing meanwhile, either. */
const EVERY_MS = 3_600_000;

let engine: TestEngine;
let writer: Writer;
beforeAll(async () => {
  engine = await testEngine();
  const { workflowService } = engine.client;
  writer = { workflowService, namespace: engine.settings.namespace, identity: 'test' };
});
afterAll(() => engine.close());

async function scheduled() {
  const cluster = testCluster();
  await scheduleHealth(engine, cluster, EVERY_MS);
  onTestFinished(() => changeHealthSchedule(engine, cluster.name, 'remove'));
  // Lists lag behind a little, and the clock of these tests does not wait for them.
  await expect.poll(ids).toContain(`health/${cluster.name}`);
  return cluster;
}

const deep = (cluster: string) => ({ cluster, kind: 'deep' }) as const;

async function stored(cluster: string) {
  const found = await readStored(writer, deep(cluster));
  if (found === undefined) throw new Error(`${cluster} has no schedule`);
  return found;
}

/** What is to be the same: all that a schedule is, with its payloads to the byte, and not when it was made. */
async function kept(cluster: string) {
  const { schedule, memo, searchAttributes } = await stored(cluster);
  return JSON.parse(JSON.stringify({ schedule, memo, searchAttributes }));
}

const ids = async () => {
  const found: string[] = [];
  for await (const { scheduleId } of engine.client.schedule.list()) found.push(scheduleId);
  return found;
};

/** A worker of the engine's queue that keeps schedules for so many hours of a clock of its own, and what it tells. */
async function keepFor(hours: number): Promise<string[]> {
  const over = new AbortController();
  const told: string[] = [];
  let now = Date.now();
  const end = now + hours * 3_600_000;
  await new KeptSchedules({
    ...writer,
    taskQueue: engine.taskQueue,
    converter: loadDataConverter(),
    adopts: true,
    log: (line) => told.push(line),
    now: () => now,
    wait: async () => {
      now += 120_000;
      if (now > end) over.abort();
    },
  }).keep(over.signal);
  return told;
}

describe('a schedule of health checks', () => {
  it('is removed and made anew with its spec, action and policies, and has a next time', async () => {
    const { name } = await scheduled();
    const before = await kept(name);
    const seen = await stored(name);
    expect(await remake(writer, seen)).toBe(true);
    expect(await kept(name)).toEqual(before);
    expect((await stored(name)).changedAt).toBeGreaterThan(seen.changedAt);
    expect((await stored(name)).everyMs).toBe(EVERY_MS);
    const { info } = await engine.client.schedule.getHandle(`health/${name}`).describe();
    expect(info.nextActionTimes.length).toBeGreaterThan(0);
    await expect.poll(ids).not.toContain(`kept/health/${name}`);
  });

  it('is not made anew when somebody has changed it since it was judged, and comes back from its copy', async () => {
    const { name } = await scheduled();
    const seen = await stored(name);
    await changeHealthSchedule(engine, name, 'pause');
    expect(await remake(writer, seen)).toBe(false);
    expect((await stored(name)).paused).toBe(true);
    await changeHealthSchedule(engine, name, 'resume');
    const before = await kept(name);
    // Killed behind the first deletion: the copy alone is left.
    const { schedule } = await stored(name);
    await writer.workflowService.createSchedule({
      namespace: writer.namespace,
      scheduleId: `kept/health/${name}`,
      schedule: { ...schedule, state: { ...schedule.state, paused: true } },
      requestId: 'copy',
    });
    await changeHealthSchedule(engine, name, 'remove');
    // Somebody may be busy with it.
    expect(await restoreKept(writer, deep(name), Date.now() - 60_000)).toBe(false);
    expect(await readStored(writer, deep(name))).toBeUndefined();
    expect(await restoreKept(writer, deep(name), Date.now() + 60_000)).toBe(true);
    expect((await kept(name)).schedule).toEqual(before.schedule);
  });

  it('goes to another queue with all else as it was', async () => {
    const { name } = await scheduled();
    const before = await kept(name);
    await moveToQueue(writer, await stored(name), 'another');
    expect((await stored(name)).queue).toBe('another');
    before.schedule.action.startWorkflow.taskQueue.name = 'another';
    expect((await kept(name)).schedule).toEqual(before.schedule);
  });

  it('that is silent is made anew by the worker of its queue; one that is paused stays', async () => {
    const silent = (await scheduled()).name;
    const paused = (await scheduled()).name;
    await changeHealthSchedule(engine, paused, 'pause');
    const before = [await stored(silent), await stored(paused)].map(({ changedAt }) => changedAt);
    const told = await keepFor(3.5);
    expect(told).toEqual([expect.stringMatching(new RegExp(`^${silent}: no scheduled health check has ended since`))]);
    expect((await stored(silent)).changedAt).toBeGreaterThan(before[0] ?? Number.NaN);
    expect((await stored(paused)).changedAt).toBe(before[1]);
  }, 120_000);

  it('whose own worker is gone comes to the queue of the service', async () => {
    const { name } = await scheduled();
    await moveToQueue(writer, await stored(name), `${engine.taskQueue}/cluster/${name}`);
    const told = await keepFor(0.2);
    expect((await stored(name)).queue).toBe(engine.taskQueue);
    expect(told).toEqual([expect.stringContaining(`${name}: nobody works on`)]);
  });
});
