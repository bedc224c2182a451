import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { VERSION } from '../../src/version.js';
import { FakeActivities } from './fake-activities.js';
import { type TestEngine, TestWorker, testEngine } from './harness.js';
import { exportHistory, HISTORIES, importHistory, keptHistories, STORIES } from './histories.js';

let engine: TestEngine;

beforeAll(async () => {
  engine = await testEngine();
});

afterAll(() => engine.close());

function replay(history: unknown, code?: string): Promise<void> {
  const workflowBundle = code === undefined ? { codePath: inject('workflowBundle') } : { code };
  return Worker.runReplayHistory({ workflowBundle, replayName: 'kept' }, history);
}

const kept = await keptHistories();

describe('histories of released versions', () => {
  it('are kept for every story', () => {
    const stories = new Set(kept.map(({ name }) => name.replace(/^.*\//, '').replace('.json', '')));
    expect(stories).toEqual(new Set(Object.keys(STORIES)));
  });

  it.each(kept)('replay with the workflows of today: $name', async ({ history }) => {
    await expect(replay(history)).resolves.toBeUndefined();
  });

  it.each([
    ['another activity id', 'activityId: step.id,', "activityId: step.id + '!',"],
    ['one try instead of two', 'const TRIES = 2;', 'const TRIES = 1;'],
    ['no attributes for a blocked step', 'upsertSearchAttributes)(', 'upsertSearchAttributes && (() => {}))('],
  ])('do not replay with a deliberate change: %s', async (_name, before, after) => {
    const code = await readFile(inject('workflowBundle'), 'utf8');
    const changed = code.replaceAll(before, after);
    expect(changed).not.toBe(code);
    const finished = kept.find(({ name }) => name.endsWith('finished.json'));
    await expect(replay(finished?.history, changed)).rejects.toBeInstanceOf(DeterminismViolationError);
  });
});

describe('a history of today', () => {
  it.each(Object.entries(STORIES))('replays, also as it is kept: %s', async (name, tell) => {
    const fakes = new FakeActivities();
    const worker = await TestWorker.start(engine, fakes);
    onTestFinished(() => worker.stop());
    const exported = await exportHistory(engine, await tell(engine, fakes));
    await expect(replay(importHistory(exported))).resolves.toBeUndefined();
    expect(exported).not.toMatch(/\/src\/workflows\//);
    // `KUBEWRIGHT_RECORD=1` keeps it, once for each released version whose workflows differ: see docs/temporal.md.
    if (process.env.KUBEWRIGHT_RECORD) {
      await mkdir(`${HISTORIES}${VERSION}`, { recursive: true });
      await writeFile(`${HISTORIES}${VERSION}/${name}.json`, exported);
    }
  });
});
