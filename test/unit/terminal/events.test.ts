import { describe, expect, it } from 'vitest';
import type { StepActivity } from '../../../src/engine/types.js';
import { Chronicle } from '../../../src/terminal/events.js';
import type { ProgressEvent } from '../../../src/terminal/json/events.js';
import { plainLines } from '../../../src/terminal/plain.js';
import { createTheme } from '../../../src/terminal/theme.js';
import type { InstallView } from '../../../src/terminal/types.js';
import type { StepProgress } from '../../../src/workflows/types.js';
import { at, BLOCKED, blocked, done, preparing, START } from './snapshots.js';

const theme = createTheme(false, true);

function log(moments: [InstallView, number][]): string {
  const chronicle = new Chronicle();
  const lines = moments.flatMap(([snapshot, seconds]) =>
    chronicle
      .next(snapshot, at(seconds))
      .flatMap((event) => plainLines(event, { theme, cluster: 'demo', startedAt: START, now: at(seconds) })),
  );
  return `${lines.join('\n')}\n`;
}

/** What is told at the last of these moments, a second after the one before it. */
function lastOf(...views: InstallView[]): ProgressEvent[] {
  const chronicle = new Chronicle();
  return views.map((view, index) => chronicle.next(view, at(20 + index))).at(-1) ?? [];
}

describe('what happened between two moments', () => {
  it('reads as a log, one line a change', async () => {
    const moments: [InstallView, number][] = [
      [preparing(), 12],
      [blocked(), 107],
      [done(), 131],
    ];
    await expect(log(moments)).toMatchFileSnapshot('golden/plain.golden');
  });

  it('is nothing when nothing changed', () => {
    expect(lastOf(preparing(), preparing())).toEqual([]);
    expect(lastOf(blocked(), blocked())).toEqual([]);
  });

  it('tells the plan and all that has happened to one who comes late', () => {
    const events = lastOf(done());
    expect(events[0]).toMatchObject({ type: 'plan', cluster: 'demo' });
    expect(events.filter((event) => event.type === 'step')).toHaveLength(8);
    expect(events.filter((event) => event.type === 'decision')).toHaveLength(1);
    expect(events.at(-1)).toEqual({ type: 'state', state: 'done' });
  });

  it('tells a step that blocks again anew, and the same cause of a retry once', () => {
    const again = blocked();
    again.progress.blocked = [{ ...BLOCKED, blocking: 2 }];
    expect(lastOf(blocked(), again)).toEqual([{ type: 'blocked', ...BLOCKED, blocking: 2 }]);

    const later = preparing();
    const activity = later.activities['cp-2/packages'];
    later.activities['cp-2/packages'] = { ...activity, attempt: 9, nextAttemptAt: at(30) };
    expect(lastOf(preparing(), later)).toEqual([]);
    later.activities['cp-2/packages'] = { attempt: 9, failure: 'cp-2: no route to host', nextAttemptAt: at(30) };
    expect(lastOf(preparing(), later)).toEqual([
      { type: 'retry', step: 'cp-2/packages', host: 'cp-2', attempt: 9, failure: 'cp-2: no route to host' },
    ]);
  });

  it('keeps its columns apart after the first hour', () => {
    const failing = withStep(blocked(), 'w-1/join', { state: 'done', endedAt: at(36_125), outcome: 'changed' });
    expect(log([[failing, 36_200]])).toContain('+10:02:05  w-1/join  done in');
  });

  it('says of a decision on many steps how many it does not name', () => {
    const view = blocked();
    view.progress.decisions = [{ ...RETRY, number: 1, more: 299 }];
    expect(log([[view, 107]])).toContain('decided: retry cp-2/join and 299 more\n');
  });

  it('tells the first failure of a step when it happens, with its code, host and hint, once', () => {
    const failed = {
      code: 'KW431',
      host: 'w-1',
      message: 'it failed',
      hint: 'Mend it.',
      output: '',
      tries: 1,
      at: at(70),
    };
    const failing = withStep(blocked(), 'w-1/join', { failed });
    expect(lastOf(blocked(), failing)).toEqual([{ type: 'failed', step: 'w-1/join', ...failed }]);
    expect(lastOf(blocked(), failing, failing)).toEqual([]);
    const lines = log([
      [blocked(), 69],
      [failing, 70],
    ]);
    expect(lines).toContain('+1:10   ! w-1/join  failed (KW431, try 1); it is tried again by itself');
    expect(lines).toContain('w-1: it failed\n');
    expect(lines).toContain('Mend it.');
  });

  it('says why a step waits when the reason changes, and at least once a minute', () => {
    const waiting = (line: string) => withActivity(blocked(), 'w-1/join', { attempt: 1, stage: 'verify', line });
    const chronicle = new Chronicle();
    const reasons = (view: InstallView, seconds: number) =>
      chronicle.next(view, at(seconds)).flatMap((event) => (event.type === 'waiting' ? event.reason : []));
    expect(reasons(waiting('Unpacking haproxy'), 61)).toEqual([]);
    expect(reasons(waiting('waiting: w-1 is not Ready'), 62)).toEqual(['waiting: w-1 is not Ready']);
    expect(reasons(waiting('waiting: w-1 is not Ready'), 121)).toEqual([]);
    expect(reasons(waiting('waiting: w-1 is not Ready'), 122)).toEqual(['waiting: w-1 is not Ready']);
    // One that flickers does not fill the log, and is not lost either.
    expect(reasons(waiting('waiting: DNS is silent'), 123)).toEqual([]);
    expect(reasons(waiting('waiting: DNS is silent'), 128)).toEqual(['waiting: DNS is silent']);
    expect(reasons(waiting('Unpacking haproxy'), 187)).toEqual([]);
    expect(reasons(waiting('Unpacking haproxy'), 188)).toEqual(['Unpacking haproxy']);
  });

  it('says once a minute why a step is tried again and again, also one that a person is asked about', () => {
    const view = preparing();
    const asked = { ...BLOCKED, step: 'cp-2/packages', code: 'KW201', retrying: true as const, tries: 0 };
    view.progress.blocked = [asked];
    const chronicle = new Chronicle();
    const attempts = (seconds: number) =>
      chronicle
        .next(view, at(seconds))
        .flatMap((event) => (event.type === 'waiting' && event.step === asked.step ? event.attempt : []));
    attempts(20);
    expect(attempts(79)).toEqual([]);
    expect(attempts(80)).toEqual([3]);
  });

  it('tells the cause of a try once, also where a long try lies between it and the same cause again', () => {
    const failure = 'cp-2: no route to host';
    const view = (activity: StepActivity) => withActivity(preparing(), 'cp-2/packages', activity);
    const chronicle = new Chronicle();
    const causes = (activity: StepActivity, seconds: number) =>
      chronicle.next(view(activity), at(seconds)).filter((event) => event.type === 'retry').length;
    expect(causes({ attempt: 3, failure, nextAttemptAt: at(25) }, 20)).toBe(1);
    for (const seconds of [25, 90]) causes({ attempt: 4, failure, stage: 'apply', line: 'Unpacking' }, seconds);
    expect(causes({ attempt: 5, failure, nextAttemptAt: at(96) }, 91)).toBe(0);
  });

  it('numbers decisions: none is told twice after a look at the history, none is lost behind the hundredth', () => {
    const decided = (...numbers: number[]): InstallView => {
      const view = blocked();
      view.progress.decisions = numbers.map((number) => ({ ...RETRY, number }));
      return view;
    };
    const chronicle = new Chronicle();
    const told = (view: InstallView) =>
      chronicle.next(view, at(100)).flatMap((event) => (event.type === 'decision' ? event.number : []));
    expect(told(decided(1, 2))).toEqual([1, 2]);
    expect(told(decided())).toEqual([]);
    expect(told(decided(1, 2))).toEqual([]);
    expect(told(decided(...Array.from({ length: 100 }, (_, index) => index + 2)))).toEqual(
      Array.from({ length: 99 }, (_, index) => index + 3),
    );
    // A Reset begins a new run.
    expect(told({ ...decided(1), runId: 'run-2' })).toEqual([1]);
  });
});

const RETRY = { verb: 'retry' as const, steps: ['cp-2/join'], at: at(99), via: 'update' as const };

function withStep(view: InstallView, id: string, change: Partial<StepProgress>): InstallView {
  const steps = view.progress.steps.map((step) => (step.id === id ? { ...step, ...change } : step));
  return { ...view, progress: { ...view.progress, steps } };
}

function withActivity(view: InstallView, id: string, activity: StepActivity): InstallView {
  return { ...view, activities: { ...view.activities, [id]: activity } };
}
