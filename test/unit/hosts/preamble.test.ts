import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandLine, READY } from '../../../src/hosts/connection/privilege.js';

/** The command line of an exec request in a real shell, with the environment that a login may give it. */
test('a script sees no proxy, whatever /etc/environment gives to logins', () => {
  const script = 'env | grep -i _proxy || echo none';
  const env = {
    PATH: process.env.PATH,
    http_proxy: 'http://127.0.0.1:9',
    https_proxy: 'http://127.0.0.1:9',
    HTTPS_PROXY: 'http://127.0.0.1:9',
    ALL_PROXY: 'socks5://127.0.0.1:9',
    no_proxy: 'localhost',
  };
  const said = execFileSync('sh', ['-c', commandLine('none', script.length, 0)], {
    env,
    input: script,
    encoding: 'utf8',
  });
  expect(said).toBe(`${READY}none\n`);
});

test.each(['none', 'sudo', 'sudo-with-password'] as const)(
  'a command line (%s) is one that any login shell passes on: bash, dash, csh with its !, fish with its backslashes',
  (privilege) => {
    for (const input of [undefined, 0, 5]) {
      const line = commandLine(privilege, 10, input);
      expect(line).not.toMatch(/[!\n]/);
      expect(line).not.toMatch(/\\[\\']/);
      // One word in single quotes, and nothing outside of it that any shell would expand.
      expect(line.split("'")).toHaveLength(3);
      expect(line.replace(/'.*'/, '')).toMatch(/^[\w =.:-]+$/);
    }
  },
);
