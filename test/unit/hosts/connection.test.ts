import { describe, expect, test } from 'vitest';
import { openConnections } from '../../../src/hosts/connection/open.js';
import { eventually } from '../eventually.js';
import { serve, useServers, where } from './served.js';
import { type OnExec, pretendToRun, runLocally, socketOf } from './ssh-server.js';

useServers();

/** Behaves as `first` says for the first exec request, then runs commands. */
function onceThenRun(first: OnExec): OnExec {
  let calls = 0;
  return (...call) => (calls++ === 0 ? first : runLocally())(...call);
}

test('connections that stand are counted, and no longer when they broke', async () => {
  const server = await serve();
  const host = where.host(server.port);
  expect(openConnections()).toBe(0);
  await host.run('true');
  expect(openConnections()).toBe(1);
  await host.run('true');
  expect(openConnections()).toBe(1);
  server.drop();
  await eventually(() => openConnections() === 0, 'the broken connection is no longer counted');
});

describe('a broken connection', () => {
  const isLost = { code: 'KW203', host: 'cp-1', transient: true };

  test('in the middle of a command is KW203, and the next call connects again', async () => {
    const onExec = onceThenRun((command, channel, connection) => {
      pretendToRun(command, channel);
      channel.write('half');
      socketOf(connection).destroy();
    });
    const server = await serve({ onExec });
    const host = where.host(server.port);
    await expect(host.run('x')).rejects.toMatchObject(isLost);
    expect((await host.run('echo back')).stdout).toBe('back\n');
    expect(server.accepted).toBe(2);
  });

  test('is what a channel that closes without an exit code means; never success', async () => {
    const onExec: OnExec = (command, channel) => {
      pretendToRun(command, channel);
      channel.write('looks good');
      channel.close();
    };
    const host = where.host((await serve({ onExec })).port);
    await expect(host.run('x', { allowFailure: true })).rejects.toMatchObject(isLost);
  });

  test('found when the next command is sent costs that command nothing', async () => {
    const server = await serve();
    const host = where.host(server.port);
    await host.run('true');
    server.drop();
    expect((await host.run('echo again')).stdout).toBe('again\n');
  });

  test('never runs half of a script', async () => {
    // Standard input ends after 20 bytes, as it does when the connection breaks while the script travels.
    const onExec: OnExec = (command, channel, connection) => {
      runLocally()(`head -c 20 | { ${command}; }`, channel, connection);
    };
    const host = where.host((await serve({ onExec })).port);
    const result = await host.run('echo first-half-ran\necho second half', { allowFailure: true });
    expect(result).toMatchObject({ exitCode: 255, stdout: '' });
  });

  test('never feeds a script half of its input', async () => {
    const onExec: OnExec = (command, channel, connection) => {
      runLocally()(`head -c 20 | { ${command}; }`, channel, connection);
    };
    const host = where.host((await serve({ onExec })).port);
    const result = await host.run('cat', { input: 'x'.repeat(100), allowFailure: true });
    expect(result).toMatchObject({ exitCode: 255, stdout: '' });
  });
});

describe('channels', () => {
  test('share one connection, and are never more than eight', async () => {
    const server = await serve();
    const host = where.host(server.port);
    const results = await Promise.all(Array.from({ length: 30 }, (_, index) => host.run(`sleep 0.02; echo ${index}`)));
    expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 30 }, (_, index) => index));
    expect(server.accepted).toBe(1);
    expect(server.mostSessions).toBeGreaterThan(1);
    expect(server.mostSessions).toBeLessThanOrEqual(8);
  });
});
