import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { follow, isStuck } from '../../../src/commands/support/follow.js';
import type { Engine, RunSnapshot } from '../../../src/engine/index.js';
import { Output } from '../../../src/terminal/output.js';
import { at, BLOCKED, blocked, done, preparing } from '../terminal/snapshots.js';
import { moment } from './engine.js';

/** Looks that a watcher has: snapshots, and a number for how often in a row the server did not answer. */
type Look = RunSnapshot | number;

function following(looks: Look[], options: { waitWhenBlocked?: boolean; timeoutMs?: number } = {}) {
  const said: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, next) {
      said.push(String(chunk));
      next();
    },
  });
  vi.doMock('../../../src/engine/index.js', () => ({
    async *watchRun(_engine: Engine, _cluster: string, how: WatchOptions) {
      for (const look of looks) {
        // Five minutes from one look to the next.
        vi.setSystemTime(Date.now() + 300_000);
        if (typeof look === 'number') how.onUnreachable?.(look);
        else yield look;
        if (how.signal?.aborted) return;
      }
      if (looks.at(-1) === looks[0]) await new Promise((resolve) => how.signal?.addEventListener('abort', resolve));
    },
  }));
  const output = new Output({ stdout: sink, stderr: sink, env: {}, json: false, color: false });
  const signal = new AbortController().signal;
  const followed = follow({} as Engine, 'demo', output, { waitWhenBlocked: false, signal, ...options });
  return { followed, said };
}

interface WatchOptions {
  signal?: AbortSignal;
  onUnreachable?: (failures: number) => void;
}

const ended = moment(done(), { status: 'completed' });
const unanswered = moment(preparing(), { source: 'history' });
const failing = moment(preparing(), { source: 'history', taskAttempts: 5, taskFailure: 'Nondeterminism error' });

describe('following an install where nobody waits', () => {
  it.each<[string, Look, string, RegExp]>([
    ['no server answers', 1, 'KW534', /Temporal has not answered for 1\d m/],
    ['no worker answers', unanswered, 'KW535', /No worker has answered for 1\d m/],
    ['the workers fail', failing, 'KW536', /fail at the install of demo again and again: Nondeterminism error/],
  ])('always ends, also when %s', async (_name, look, code, message) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { followed } = following([look, look, look, look, ended]);
    await expect(followed).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    vi.useRealTimers();
  });

  it('does not end for what passes, and says what it was', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { followed, said } = following([unanswered, unanswered, moment(preparing()), failing, 1, ended]);
    expect((await followed).why).toBe('ended');
    vi.useRealTimers();
    expect(said.join('')).toContain('No worker answers; the install waits until one runs.');
    expect(said.join('')).toContain('A worker runs, but fails at this install: Nondeterminism error');
    expect(said.join('')).toContain('Temporal answers again.');
  });

  it('does not end in the moment in which the server is back, however long it was away', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { followed } = following([1, moment(preparing()), 1, 2, 0, ended]);
    expect((await followed).why).toBe('ended');
    vi.useRealTimers();
  });

  it('goes on for as long as it takes where somebody waits', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { followed } = following([unanswered, unanswered, unanswered, unanswered, ended], { waitWhenBlocked: true });
    expect((await followed).why).toBe('ended');
    vi.useRealTimers();
  });

  it('ends when time is up, whatever else', async () => {
    const { followed } = following([moment(preparing())], { waitWhenBlocked: true, timeoutMs: 20 });
    expect(await followed).toMatchObject({ why: 'timeout', snapshot: { status: 'running' } });
  });
});

describe('only a person can go on', () => {
  const stuck = (): RunSnapshot => {
    const view = blocked();
    view.progress.steps = view.progress.steps.filter((step) => step.state !== 'running');
    return moment({ ...view, activities: {} });
  };
  const asked = (activity: object): RunSnapshot => {
    const snapshot = stuck();
    snapshot.progress.blocked = [{ ...BLOCKED, retrying: true, tries: 0 }];
    return { ...snapshot, activities: { [BLOCKED.step]: { attempt: 30, failure: 'no route', ...activity } } };
  };

  it.each<[string, RunSnapshot, boolean]>([
    ['a step is blocked and none runs', stuck(), true],
    ['a step is blocked and another runs', moment(blocked()), false],
    ['a history says so: a decision may be kept', { ...stuck(), source: 'history' }, false],
    ['a host does not answer, its patience used up', asked({ nextAttemptAt: at(1_002) }), true],
    ['that host is being tried', asked({ startedAt: at(990) }), true],
    ['that host is back, and its step at work', asked({ startedAt: at(900) }), false],
    ['nothing is blocked', moment(preparing()), false],
  ])('when %s: %s', (_name, snapshot, holds) => {
    expect(isStuck(snapshot, at(1_000))).toBe(holds);
  });

  it('when all that runs is paused in Temporal', () => {
    const view = moment(preparing());
    const running = view.progress.steps.filter((step) => step.state === 'running');
    view.activities = Object.fromEntries(running.map((step) => [step.id, { attempt: 1, paused: true }]));
    expect(isStuck(view, at(1_000))).toBe(true);
  });
});
