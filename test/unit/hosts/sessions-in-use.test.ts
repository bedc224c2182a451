import { afterEach, expect, test, vi } from 'vitest';
import { serve, useServers, where } from './served.js';

// By itself, for its clock is this thread's: it cannot be put forward where the connections live in another one.
useServers();
afterEach(() => void vi.useRealTimers());

test('a session that does not become free in time is KW244', async () => {
  const server = await serve({ maxSessions: 1, maxConnections: 1 });
  const host = where.host(server.port);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const controller = new AbortController();
  const long = host.run('echo up; exec sleep 60', { signal: controller.signal }).catch((error: unknown) => error);
  await expect.poll(() => server.sessions).toBe(1);
  const second = host.run('true').catch((error: unknown) => error);
  await expect.poll(() => where.log.filter((line) => line.includes('waits for a session')).length).toBe(1);
  vi.advanceTimersByTime(20_000);
  expect(await second).toMatchObject({
    code: 'KW244',
    transient: false,
    message: expect.stringContaining('allows 1 session(s) a connection'),
  });
  controller.abort(new Error('enough'));
  await long;
});
