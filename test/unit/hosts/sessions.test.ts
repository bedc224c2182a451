import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { serve, useServers, where } from './served.js';

// What a client does where the server will not open another channel.
useServers();

/** A directory with a `sudo` that serves anybody. */
function fakeSudo(): string {
  const directory = path.join(where.home, 'bin');
  mkdirSync(directory);
  writeFileSync(path.join(directory, 'sudo'), '#!/bin/bash\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n');
  chmodSync(path.join(directory, 'sudo'), 0o755);
  return directory;
}

describe('sessions', () => {
  test.each([1, 2])(
    'beyond MaxSessions %i go through further connections, and nothing is refused twice',
    async (maxSessions) => {
      const server = await serve({ maxSessions });
      const host = where.host(server.port);
      const both = await Promise.all([host.run('sleep 0.3; echo one'), host.run('echo two')]);
      expect(both.map(({ stdout }) => stdout)).toEqual(['one\n', 'two\n']);
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, index) => host.run(`sleep 0.05; echo ${index}`)),
      );
      expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 12 }, (_, index) => index));
      const learned = server.refused;
      await Promise.all(Array.from({ length: 12 }, () => host.run('sleep 0.05')));
      expect(server.refused).toBe(learned);
      expect(server.accepted).toBeLessThanOrEqual(8);
    },
  );

  test('beyond MaxSessions 1 go through further connections as another user as well', async () => {
    const server = await serve({ maxSessions: 1, env: { ...process.env, PATH: `${fakeSudo()}:${process.env.PATH}` } });
    const host = where.host(server.port, { user: 'ops' });
    const both = await Promise.all([host.run('sleep 0.3; echo one'), host.run('echo two')]);
    expect(both.map(({ stdout }) => stdout)).toEqual(['one\n', 'two\n']);
  });

  test('that leaked on the server are left behind with their connection', async () => {
    const server = await serve();
    const host = where.host(server.port);
    await host.run('true');
    server.leak();
    expect((await host.run('echo fresh')).stdout).toBe('fresh\n');
    expect(server.accepted).toBe(2);
  });

  test('refused on a fresh connection are KW244, not transient: nothing turns in circles', async () => {
    const server = await serve({ maxSessions: 0 });
    const host = where.host(server.port);
    await expect(host.run('true')).rejects.toMatchObject({
      code: 'KW244',
      transient: false,
      hint: expect.stringContaining('MaxSessions'),
    });
    expect(server.accepted).toBe(1);
  });

  test('wait for each other where the server takes no further connection', async () => {
    const server = await serve({ maxSessions: 1, maxConnections: 1 });
    const host = where.host(server.port);
    const both = await Promise.all([host.run('sleep 0.3; echo one'), host.run('echo two')]);
    expect(both.map(({ stdout }) => stdout)).toEqual(['one\n', 'two\n']);
  });
});

describe('a bastion', () => {
  test('that may not forward is KW243, which is not tried for ever', async () => {
    const gate = await serve({ forwards: false });
    const bastion = { address: '127.0.0.1', port: gate.port, user: 'root', keyFiles: [where.keyFile] };
    await expect(where.host(1, { bastion }).run('true')).rejects.toMatchObject({
      code: 'KW243',
      transient: false,
      message: expect.stringMatching(/bastion 127.0.0.1 may not forward to cp-1 at 127.0.0.1 port 1/),
      hint: expect.stringContaining('AllowTcpForwarding'),
    });
  });
});
