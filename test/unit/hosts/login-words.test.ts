import { describe, expect, test } from 'vitest';
import { serve, useServers, where } from './served.js';
import { type OnExec, runLocally } from './ssh-server.js';

useServers();

describe('a login', () => {
  test('that prints noise from a login shell first is heard without it', async () => {
    const onExec: OnExec = (command, channel, connection) => {
      channel.write('Welcome to cp-1!\n');
      runLocally()(command, channel, connection);
    };
    const host = where.host((await serve({ onExec })).port);
    expect((await host.run('echo clean')).stdout).toBe('clean\n');
  });

  test.each([
    [
      "cloud-init's",
      `echo 'Please login as the user "debian" rather than the user "root".'; echo; exit 142`,
      'KW245',
      /Please login as the user "debian"/,
      /`ssh.user: debian`/,
    ],
    [
      'another',
      `echo 'use the login debian here'; echo; exit 142`,
      'KW245',
      /use the login debian here/,
      /ssh.user: debian/,
    ],
    [
      'nologin',
      `echo 'This account is currently not available.'; exit 1`,
      'KW235',
      /not available.” and ended/,
      /nologin/,
    ],
    ['a forced command on stderr', `echo 'only git here' >&2; exit 128`, 'KW235', /only git here/, /ForceCommand/],
    [
      'a missing bash',
      `echo 'sh: bash: not found' >&2; exit 127`,
      'KW235',
      /no working bash .*exit code 127/,
      /must be installed/,
    ],
  ])('that meets %s forced command says what was printed', async (_title, script, code, message, hint) => {
    for (const user of ['root', 'ops']) {
      const server = await serve({ onExec: (_command, ...rest) => runLocally()(script, ...rest) });
      const error = await where
        .host(server.port, { user })
        .run('true')
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code,
        transient: false,
        host: 'cp-1',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
        output: expect.stringMatching(/^[ -~\n]+$/),
      });
    }
  });

  test('shows nothing of what the login printed that is secret or steers a terminal', async () => {
    const words = String.raw`printf '\033[2J\033]0;title\007token: abcdef.0123456789abcdef\nnot here\n'; exit 1`;
    const server = await serve({ onExec: (_command, ...rest) => runLocally()(words, ...rest) });
    await expect(where.host(server.port).run('true')).rejects.toMatchObject({
      code: 'KW235',
      output: 'token: [redacted]\nnot here',
    });
  });
});
