import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ActivityNotFoundError } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { askWorkflow } from '../../src/engine/runs/ask.js';
import { decide } from '../../src/engine/runs/decide.js';
import { describeRun } from '../../src/engine/runs/watch-run.js';
import { ensureWorker, stopWorker, type WorkerProcess, workerStatus } from '../../src/engine/worker-process.js';
import { ASK_AGAIN } from '../../src/workflows/types.js';
import { changed, FakeActivities } from './fake-activities.js';
import {
  blocked,
  closed,
  GROUPED_HOSTS,
  startGrouped,
  startTest,
  stateOf,
  step,
  type TestEngine,
  TestWorker,
  testEngine,
  until,
} from './harness.js';

const LOADER = fileURLToPath(new URL('./typescript-loader.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('./worker-child.ts', import.meta.url));

let directory: string;
let engine: TestEngine;
let worker: WorkerProcess;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-worker-'));
  engine = { ...(await testEngine()), stateDir: directory };
});

afterEach(async () => {
  await stopWorker(engine);
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

function startChild(hold: string[]): Promise<WorkerProcess> {
  const fake = {
    FAKE_HOLD: hold.join(','),
    FAKE_RELEASE: join(directory, 'release'),
    FAKE_LOG: join(directory, 'tries'),
  };
  const env = { ...engine.env, ...fake, FAKE_BUNDLE: inject('workflowBundle') };
  return ensureWorker(engine, { env, program: CHILD, nodeOptions: ['--import', LOADER] });
}

async function tries(): Promise<string[]> {
  const text = await readFile(join(directory, 'tries'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

describe('a worker that is killed in the middle of a step', () => {
  it('four times in a row: the next one carries the step on, nothing parks, nothing is counted', async () => {
    worker = await startChild(['a/one']);
    const { cluster } = await startTest(engine, [step('a/one'), step('b/two', ['a/one'])]);
    const recoveries: number[] = [];
    for (let kill = 1; kill <= 4; kill += 1) {
      await expect.poll(tries, { timeout: 40_000 }).toHaveLength(kill);
      process.kill(worker.pid, 'SIGKILL');
      await expect.poll(() => worker.revive(), { timeout: 20_000 }).toBe(true);
      const back = Date.now();
      worker = await startChild(['a/one']);
      expect(worker.started).toBe(false);
      await expect.poll(tries, { timeout: 40_000 }).toHaveLength(kill + 1);
      recoveries.push(Date.now() - back);
    }
    const now = await describeRun(engine, cluster.name);
    expect(now.progress.blocked).toEqual([]);
    expect(now.progress.state).toBe('running');
    await writeFile(join(directory, 'release'), '');
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect((await tries()).map((line) => line.split(' ')[1])).toEqual(['1', '2', '3', '4', '5']);
    console.log(`recovery after kill -9 of the worker, ms: ${recoveries.join(', ')}`);
  }, 180_000);

  it('is drained when it is stopped: the step lets go at once and another worker carries it on', async () => {
    worker = await startChild(['a/one']);
    const { cluster } = await startTest(engine, [step('a/one')]);
    await expect.poll(tries, { timeout: 20_000 }).toHaveLength(1);
    expect(await worker.leave()).toBe('stopped');
    expect(await workerStatus(engine)).toBeUndefined();
    worker = await startChild(['a/one']);
    await expect.poll(tries, { timeout: 20_000 }).toHaveLength(2);
    await writeFile(join(directory, 'release'), '');
    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
  });
});

describe('a worker that is killed while somebody asks', () => {
  // A query to a worker that is gone waits for five seconds; then the server hands it to any worker, with the history as it is at
  // that moment: with events that no workflow task has been started for. See `early-queries.ts`.
  it.each([
    ['', {}, ASK_AGAIN],
    [' (with a payload key)', { KUBEWRIGHT_PAYLOAD_KEY: randomBytes(32).toString('base64') }, 'Encoded failure'],
  ])(
    'the answer does not change the order in which a run schedules its steps%s',
    async (_name, env, refusal) => {
      await engine.close();
      engine = { ...(await testEngine(env)), stateDir: directory };
      // On a busy machine a workflow task may come before the query, which is then answered: nothing was put to the test.
      for (let answered = 0; !(await isRefused(refusal)); answered += 1) {
        expect(answered, 'every query was answered before its time').toBeLessThan(5);
      }
    },
    360_000,
  );

  /** One run whose worker dies while somebody asks; however that went, the run ends and replays. */
  async function isRefused(refusal: string): Promise<boolean> {
    await rm(join(directory, 'tries'), { force: true });
    engine = { ...engine, stateDir: await mkdtemp(join(directory, 'state-')) };
    worker = await startChild(['a/look', 'b/look']);
    const plan = [step('a/look'), step('b/look'), step('a/next', ['a/look']), step('b/next', ['b/look'])];
    const { cluster, workflowId, runId } = await startTest(engine, plan);
    await expect.poll(tries, { timeout: 40_000 }).toHaveLength(2);
    process.kill(worker.pid, 'SIGKILL');

    // There before anybody asks: on a busy machine it needs more than the five seconds, and the query would reach it
    // with the history as it was.
    const other = await TestWorker.start(engine, new FakeActivities());
    const handle = engine.client.workflow.getHandle(workflowId, runId);
    const asked = engine.client.connection
      .withDeadline(Date.now() + 20_000, () => handle.query('progress'))
      .then(() => undefined)
      .catch((error: Error) => error);
    const complete = (activityId: string) =>
      engine.client.activity.complete({ workflowId, runId, activityId }, changed).catch(givenToOther);
    await complete('b/look');
    const error = await asked;
    if (error !== undefined) expect(error.message).toContain(refusal);
    await complete('a/look');
    expect(await askWorkflow(engine, workflowId, runId, 20_000)).toMatchObject({ cluster: cluster.name });

    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
    await other.stop();
    const workflowBundle = { codePath: inject('workflowBundle') };
    const options = { workflowBundle, dataConverter: engine.dataConverter };
    const replayed = Worker.runReplayHistory(options, await handle.fetchHistory(), workflowId);
    await expect(replayed).resolves.toBeUndefined();
    return error !== undefined;
  }

  /** The killed worker's step was begun anew by the other one meanwhile, and is done. */
  function givenToOther(error: unknown): void {
    if (!(error instanceof ActivityNotFoundError)) throw error;
  }
});

describe('one of several workers that is killed', () => {
  it('leaves its groups and their steps to the others', async () => {
    worker = await startChild(['w-1/prepare', 'w-2/prepare', 'w-3/prepare', 'w-4/prepare']);
    const { cluster } = await startGrouped(engine);
    await expect.poll(tries, { timeout: 40_000 }).toHaveLength(4);
    const fakes = new FakeActivities();
    const other = await TestWorker.start(engine, fakes);
    process.kill(worker.pid, 'SIGKILL');
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.progress.decisions).toEqual([]);
    expect(GROUPED_HOSTS.map((host) => fakes.triesOf(`${host}/prepare`))).toEqual([1, 1, 1, 1]);
    await other.stop();
  });
});

describe('while no worker runs', () => {
  it('an install is described from its history, and a decision is kept until a worker takes it', async () => {
    const fakes = new FakeActivities().failing('cp-2/join', 2);
    const first = await TestWorker.start(engine, fakes);
    const { cluster } = await startTest(engine, [
      step('cp-1/init'),
      step('cp-2/join'),
      step('w-1/join', ['cp-2/join']),
    ]);
    const asked = await until(engine, cluster.name, (now) => blocked()(now) && stateOf(now, 'cp-1/init') === 'done');
    await first.stop();

    const read = await until(engine, cluster.name, (now) => now.source === 'history');
    expect(asked.source).toBe('worker');
    expect(read.progress.state).toBe('blocked');
    expect(read.progress.steps.map((one) => [one.id, one.state, one.title])).toEqual(
      asked.progress.steps.map((one) => [one.id, one.state, one.title]),
    );
    const { since: _, ...known } = asked.progress.blocked[0] ?? { since: 0 };
    expect(read.progress.blocked[0]).toMatchObject(known);

    const outcome = await decide(engine, cluster.name, 'retry', { step: 'cp-2/join' });
    expect(outcome.via).toBe('signal');
    const second = await TestWorker.start(engine, fakes);
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.progress.decisions).toEqual([
      expect.objectContaining({ verb: 'retry', via: 'signal', by: 'anna@test' }),
    ]);
    await second.stop();
  });
});
