import { expect, test } from 'vitest';
import { inTurn } from '../../../src/activities/in-turn.js';
import { clusterOf } from '../cluster-fixture.js';
import { contextAmong, fakeHosts } from './fake-hosts.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 12 });
const contextOf = (host: string, of = cluster) => contextAmong(fakeHosts(of), of, 'configureRuntime', host);

/** Something that goes on until it is told to end. */
function work() {
  const running = new Map<string, () => void>();
  const on = (host: string) => () =>
    new Promise<string>((resolve) => {
      running.set(host, () => {
        running.delete(host);
        resolve(host);
      });
    });
  return { running, on };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('control planes are interrupted one after the other, ten workers at a time, and clusters apart', async () => {
  const { running, on } = work();
  const other = { ...cluster, name: 'other' };
  const all = [
    ...cluster.hosts.map(({ name }) => inTurn(contextOf(name), 'x', on(name))),
    inTurn(contextOf('cp-1', other), 'x', on('other/cp-1')),
  ];
  const seen = new Set<string>();
  for (let rounds = 0; rounds < 5; rounds++) {
    await settled();
    expect([...running.keys()].filter((name) => name.startsWith('cp-')).length).toBeLessThanOrEqual(1);
    expect([...running.keys()].filter((name) => name.startsWith('w-')).length).toBeLessThanOrEqual(10);
    if (rounds === 0)
      expect([...running.keys()].sort()).toEqual(expect.arrayContaining(['cp-1', 'other/cp-1', 'w-1', 'w-10']));
    for (const [name, end] of [...running]) {
      seen.add(name);
      end();
    }
  }
  await Promise.all(all);
  expect(seen.size).toBe(16);
});

test('a failure makes room for the next host', async () => {
  const lost = inTurn(contextOf('cp-1'), 'x', async () => Promise.reject(new Error('lost')));
  const next = inTurn(contextOf('cp-2'), 'x', async () => 'next');
  await expect(lost).rejects.toThrow('lost');
  expect(await next).toBe('next');
});
