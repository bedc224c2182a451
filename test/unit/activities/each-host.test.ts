import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { HOSTS_AT_A_TIME, onEachHost } from '../../../src/activities/each-host.js';

it('so many hosts are asked at a time and no more, and each answer stands at its host', async () => {
  let [now, most] = [0, 0];
  const hosts = Array.from({ length: 3 * HOSTS_AT_A_TIME + 1 }, (_, number) => number);
  const answers = await onEachHost(hosts, async (host) => {
    now += 1;
    most = Math.max(most, now);
    await setImmediate();
    now -= 1;
    return host * 2;
  });
  expect(most).toBe(HOSTS_AT_A_TIME);
  expect(answers).toEqual(hosts.map((host) => host * 2));
});
