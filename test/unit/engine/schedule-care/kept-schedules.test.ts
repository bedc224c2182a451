import { beforeEach, describe, expect, it } from 'vitest';
import { FakeServer } from './fake-server.js';

const MINUTE = 60_000;
const REMADE = ['create kept/health/demo', 'delete health/demo', 'create health/demo', 'delete kept/health/demo'];

let server: FakeServer;
beforeEach(() => {
  server = new FakeServer();
});

/** Every 5 minutes, so it is silent behind three of them and the two minutes of a check. */
const SILENT_MINUTES = 18;

describe('a schedule that says nothing', () => {
  it('is made anew when the worker was there for it all the time, as it was, and not again before it is silent again', async () => {
    server.add('health/demo');
    const { schedule } = server.schedules.get('health/demo') ?? {};
    await server.keep(SILENT_MINUTES - 1);
    expect(server.calls).toEqual([]);
    server = Object.assign(new FakeServer(), { schedules: server.schedules });
    const began = server.now;
    await server.keep(SILENT_MINUTES + 1);
    expect(server.calls).toEqual(REMADE);
    expect(server.schedules.get('health/demo')?.schedule).toEqual(schedule);
    expect(server.log).toEqual([
      `demo: no scheduled health check has ended since ${new Date(began).toISOString()}, and one is due every 300 s: the schedule was made anew`,
    ]);
  });

  it('is made anew once in each of the times that make it silent', async () => {
    server.add('health/demo');
    await server.keep(3 * SILENT_MINUTES + 3);
    expect(server.calls).toEqual([...REMADE, ...REMADE, ...REMADE]);
  });

  it('is not made anew more often where the server’s clock is far behind', async () => {
    server.add('health/demo');
    server.behindMs = 24 * 60 * MINUTE;
    await server.keep(2 * SILENT_MINUTES);
    expect(server.calls).toEqual([...REMADE, ...REMADE]);
  });

  it('is left alone while its checks end', async () => {
    server.add('health/demo');
    await server.keep(120, {}, () => {
      server.heard = server.now - 5 * MINUTE;
    });
    expect(server.calls).toEqual([]);
  });

  it('is left alone for as long as it was silent before this worker came', async () => {
    server.add('health/demo');
    server.now += 24 * 60 * MINUTE;
    await server.keep(SILENT_MINUTES - 1);
    expect(server.calls).toEqual([]);
  });

  it('is left alone for a time in which the machine slept, or the server did not answer', async () => {
    server.add('health/demo');
    let looks = 0;
    await server.keep(60 * 24, {}, () => {
      looks += 1;
      if (looks % 10 === 0) server.now += 60 * MINUTE;
    });
    await server.keep(120, {}, () => {
      looks += 1;
      server.fault = looks % 10 === 0 ? new Error('UNAVAILABLE') : undefined;
    });
    expect(server.calls).toEqual([]);
    expect(server.log).toContain('The schedules could not be looked at: Error: UNAVAILABLE');
  });

  it('is left alone while it is paused, is another worker’s, or has a check under way', async () => {
    server.add('health/demo', { paused: true });
    server.add('health/theirs', { queue: 'kubewright/cluster/theirs' });
    server.add('somebody-elses');
    await server.keep(120);
    server.schedules.clear();
    server.add('health/demo');
    server.isChecking = true;
    await server.keep(120);
    expect(server.calls).toEqual([]);
  });

  it('that somebody pauses while it is judged stays as it is', async () => {
    server.add('health/demo');
    const others = new FakeServer();
    others.add('health/demo', { paused: true });
    // Behind the first of its steps, the copy, somebody was quicker.
    const set = server.schedules.set.bind(server.schedules);
    server.schedules.set = (id, stored) => {
      if (id.startsWith('kept/health/')) set('health/demo', others.schedules.get('health/demo') ?? stored);
      return set(id, stored);
    };
    await server.keep(SILENT_MINUTES + 1);
    expect(server.calls).toEqual(['create kept/health/demo', 'delete kept/health/demo']);
    expect(server.log).toEqual([]);
  });

  it('comes back when who made it anew was killed half-way', async () => {
    server.add('health/demo');
    const { schedule } = server.schedules.get('health/demo') ?? {};
    server.killsInBetween = true;
    await server.keep(SILENT_MINUTES);
    expect([...server.schedules.keys()]).toEqual(['kept/health/demo']);
    server.killsInBetween = false;
    await server.keep(3);
    expect([...server.schedules.keys()]).toEqual(['health/demo']);
    expect(server.schedules.get('health/demo')?.schedule).toEqual(schedule);
    expect(server.log.at(-1)).toContain('they are back');
  });
});

describe('a schedule whose own worker is gone', () => {
  const OWN = 'kubewright/cluster/demo';

  it('goes to the queue of the service, and to no other worker’s', async () => {
    server.add('health/demo', { queue: OWN });
    await server.keep(10);
    expect(server.queueOf('health/demo')).toBe(OWN);
    await server.keep(10, { adopts: true });
    expect(server.queueOf('health/demo')).toBe('kubewright');
    expect(server.calls).toEqual(['update health/demo']);
    expect(server.schedules.get('health/demo')?.schedule).toMatchObject({
      spec: { interval: [{ interval: { seconds: 300 } }] },
      state: { notes: 'as it was' },
      action: { startWorkflow: { input: { payloads: [{ data: 'x' }] } } },
    });
  });

  it('stays where somebody works, where it was nobody for a moment only, while it is paused, and on any other queue', async () => {
    server.add('health/demo', { queue: OWN });
    server.add('health/paused', { queue: 'kubewright/cluster/paused', paused: true });
    server.add('health/team', { queue: 'team' });
    let looks = 0;
    await server.keep(30, { adopts: true }, () => {
      looks += 1;
      if (looks % 2 === 0) server.polled.add(OWN);
      else server.polled.delete(OWN);
    });
    expect(server.calls).toEqual([]);
  });
});
