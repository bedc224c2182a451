import { describe, expect, it } from 'vitest';
import { followCluster } from '../../../src/dashboard/feeds/follow-cluster.js';
import { followOverview } from '../../../src/dashboard/feeds/follow-overview.js';
import { SeenOutput } from '../../../src/dashboard/feeds/seen-output.js';
import { SharedFeeds, type Tell } from '../../../src/dashboard/feeds/shared-feeds.js';
import { StepChanges } from '../../../src/dashboard/step-changes.js';
import type { OperationView, StepView } from '../../../src/dashboard/told.js';
import { FakeReader } from './fake-reader.js';

function feedsOf(reader: FakeReader): SharedFeeds {
  return new SharedFeeds((topic, tell, signal) =>
    topic === '' ? followOverview(reader, tell, signal) : followCluster(reader, topic, tell, signal),
  );
}

/** Somebody who looks, and what was told. */
function listener(): { told: [string, unknown][]; hear: Tell; last(name: string): unknown } {
  const told: [string, unknown][] = [];
  const last = (name: string) => told.findLast(([each]) => each === name)?.[1];
  return { told, hear: (name, value) => told.push([name, value]), last };
}

describe('feeds', () => {
  it('ask once for all who look at a cluster, tell who comes later at once, and stop when the last one leaves', async () => {
    const reader = new FakeReader();
    const feeds = feedsOf(reader);
    expect(feeds.topics).toEqual([]);
    const [one, other] = [listener(), listener()];
    const leave = feeds.listen('demo', one.hear);
    await expect
      .poll(() => one.told.map(([name]) => name))
      .toEqual(expect.arrayContaining(['operation', 'status', 'day']));
    const leaveToo = feeds.listen('demo', other.hear);
    expect(new Map(other.told)).toEqual(new Map(one.told));
    expect(reader.following).toBe(1);
    expect(reader.asked.operations).toBe(1);
    leave();
    expect(feeds.topics).toEqual(['demo']);
    leaveToo();
    expect(feeds.topics).toEqual([]);
    await expect.poll(() => reader.following).toBe(0);
    const asked = { ...reader.asked };
    // Longer than the pause between two questions.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(reader.asked).toEqual(asked);
  });

  it('tell nothing twice, and read a status anew when another check has ended', async () => {
    const reader = new FakeReader();
    const feeds = feedsOf(reader);
    const one = listener();
    feeds.listen('demo', one.hear);
    await expect.poll(() => reader.asked.latestCheck ?? 0).toBeGreaterThan(2);
    expect(reader.asked).toMatchObject({ status: 1, day: 1 });
    reader.check = 'check/demo 2';
    await expect.poll(() => reader.asked.day).toBe(2);
    expect(one.told.filter(([name]) => name === 'status')).toHaveLength(1);
    feeds.close();
  });

  it('say that Temporal cannot be asked, ask less often meanwhile, and take it back', async () => {
    const reader = new FakeReader();
    reader.away = new Error('14 UNAVAILABLE: no connection');
    const feeds = feedsOf(reader);
    const [one, list] = [listener(), listener()];
    feeds.listen('demo', one.hear);
    feeds.listen('', list.hear);
    for (const each of [one, list]) {
      await expect.poll(() => each.last('troubles')).toEqual([expect.stringContaining('14 UNAVAILABLE')]);
    }
    await expect.poll(() => reader.asked.clusters ?? 0).toBe(3);
    reader.away = undefined;
    for (const each of [one, list]) await expect.poll(() => each.last('troubles')).toEqual([]);
    expect(list.last('overview')).toMatchObject({ clusters: [{ cluster: 'demo', word: 'running' }] });
    feeds.close();
  });
});

const step = (id: string, state: StepView['state']): StepView => ({
  id,
  title: id,
  phase: 'prepare',
  host: null,
  state,
});
const operation = (runId: string, steps: StepView[]) => ({ runId, steps, isWhole: true }) as OperationView;

describe('steps', () => {
  it('are sent whole once, then those alone that have changed; whole again of another run', () => {
    const changes = new StepChanges();
    const [a, b] = [step('a', 'running'), step('b', 'waiting')];
    expect(changes.since(operation('1', [a, b]))).toMatchObject({ isWhole: true, steps: [a, b] });
    const done = step('a', 'done');
    expect(changes.since(operation('1', [done, { ...b }]))).toMatchObject({ isWhole: false, steps: [done] });
    expect(changes.since(operation('2', [done, b]))).toMatchObject({ isWhole: true, steps: [done, b] });
    expect(changes.since(null)).toBeNull();
    expect(changes.since(operation('2', [done]))).toMatchObject({ isWhole: true, steps: [done] });
  });

  it('keep the latest lines that were seen, without what steers a terminal, as long as they run', () => {
    const seen = new SeenOutput();
    const add = (line: string, runId = '1') => seen.add({ runId, activities: { a: { attempt: 1, line } } }).get('a');
    expect(add('one')).toEqual(['one']);
    expect(add('one')).toEqual(['one']);
    expect(add('\u001b[31mtwo\u001b[0m')).toEqual(['one', 'two']);
    for (let line = 3; line <= 30; line += 1) add(`line ${line}`);
    expect(add('last')).toHaveLength(12);
    expect(add('other', '2')).toEqual(['other']);
    expect(seen.add({ runId: '2', activities: {} }).size).toBe(0);
  });
});
