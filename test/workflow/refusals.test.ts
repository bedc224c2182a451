import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/runs/decide.js';
import type { Decision, Verb } from '../../src/workflows/types.js';
import { FakeActivities } from './fake-activities.js';
import {
  blocked,
  closed,
  type StartedTest,
  startTest,
  stateOf,
  step,
  type TestEngine,
  TestWorker,
  testEngine,
  until,
} from './harness.js';

let engine: TestEngine;
let worker: TestWorker;
let install: StartedTest;

// One run with two blocked steps, one of them of a worker; nothing here may change it.
beforeAll(async () => {
  const fakes = new FakeActivities().failing('cp-2/join').failing('w-1/join');
  engine = await testEngine();
  worker = await TestWorker.start(engine, fakes);
  const gate = fakes.holding('cp-1/slow');
  install = await startTest(engine, [step('cp-2/join'), step('w-1/join'), step('cp-1/slow'), step('cp-1/init')]);
  await until(engine, install.cluster.name, (now) => blocked(2)(now) && stateOf(now, 'cp-1/init') === 'done');
  return gate.release;
});

afterAll(async () => {
  await decide(engine, install.cluster.name, 'abort', { reason: 'end of test' });
  await until(engine, install.cluster.name, closed);
  await worker.stop();
  await engine.close();
});

const refused: [string, Verb, Decision, string, RegExp, RegExp][] = [
  [
    'a step that runs',
    'retry',
    { step: 'cp-1/slow' },
    'KW801',
    /cp-1\/slow is not blocked/,
    /cp-2\/join, w-1\/join|w-1\/join, cp-2\/join/,
  ],
  ['a step that is done', 'skip', { step: 'cp-1/init', reason: 'x' }, 'KW801', /cp-1\/init is not blocked/, /Blocked:/],
  ['an unknown step', 'retry', { step: 'cp2/join' }, 'KW802', /no step "cp2\/join"/, /Did you mean cp-2\/join\?/],
  ['a step nothing is like', 'retry', { step: 'x'.repeat(500) }, 'KW802', /no step "x+"$/, /^Blocked: /],
  ['a skip without a reason', 'skip', { step: 'w-1/join' }, 'KW803', /only with a reason/, /"reason":/],
  [
    'a skip with an empty reason',
    'skip',
    { step: 'w-1/join', reason: '  ' },
    'KW803',
    /only with a reason/,
    /"reason":/,
  ],
  [
    'a skip of what is needed',
    'skip',
    { step: 'cp-2/join', reason: 'x' },
    'KW804',
    /cannot be skipped/,
    /retry, or abort/,
  ],
  ['a skip of all where one is needed', 'skip', { step: '*', reason: 'x' }, 'KW804', /^cp-2\/join cannot/, /abort/],
  ['no step where two are blocked', 'retry', {}, 'KW805', /2 steps are blocked/, /\{"step":"\*"\}/],
  ['a blocking that is over', 'retry', { step: 'cp-2/join', blocking: 0 }, 'KW806', /over/, /anew/],
  ['a blocking that never was', 'retry', { step: 'cp-2/join', blocking: 9 }, 'KW806', /before a Reset/, /anew/],
  ['an abort in view of another run', 'abort', { seen: 99 }, 'KW806', /before a Reset/, /anew/],
  ['a field nobody knows', 'retry', { stepp: 'cp-2/join' } as Decision, 'KW808', /no field "stepp"/, /JSON object/],
  [
    'a number as reason',
    'skip',
    { reason: 7 } as unknown as Decision,
    'KW808',
    /reason must be a string/,
    /JSON object/,
  ],
];

describe('a decision that makes no sense', () => {
  it.each(refused)('is refused: %s', async (_name, verb, decision, code, message, hint) => {
    const refusal = await decide(engine, install.cluster.name, verb, decision).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'KubewrightError', code });
    expect((refusal as Error).message).toMatch(message);
    expect((refusal as { hint: string }).hint).toMatch(hint);
    // A refused update leaves nothing behind: it is not accepted, and nobody finds it in the history.
    const after = await until(engine, install.cluster.name, blocked(2));
    expect(after.progress.decisions).toEqual([]);
    const { events } = await engine.client.workflow.getHandle(install.workflowId).fetchHistory();
    expect(events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)).toEqual([]);
  });

  it('is recorded as ignored when it comes as a signal, and never fails the run', async () => {
    const handle = engine.client.workflow.getHandle(install.workflowId);
    await handle.signal('retry', { step: 'cp2/join' });
    await handle.signal('skip', ['not', 'an', 'object']);
    await handle.signal('retry', 42);
    const now = await until(engine, install.cluster.name, (one) => one.progress.decisions.length === 3);
    expect(now.progress.decisions.map((record) => record.ignored?.slice(0, 5))).toEqual(['KW802', 'KW808', 'KW808']);
    expect(now.status).toBe('running');
    expect(now.progress.blocked).toHaveLength(2);
  });

  it('is refused when no install runs, and says what to do', async () => {
    await expect(decide(engine, 'nowhere', 'retry')).rejects.toMatchObject({
      code: 'KW811',
      hint: expect.stringContaining('install'),
    });
    const { cluster } = await startTest(engine, [step('a/one')]);
    await until(engine, cluster.name, closed);
    await expect(decide(engine, cluster.name, 'retry')).rejects.toMatchObject({ code: 'KW811' });
  });
});
