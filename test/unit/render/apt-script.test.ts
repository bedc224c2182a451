import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderAptTransaction } from '../../../src/components/distribution/debian/apt.js';

/** The script in a real bash, with stand-ins for what would change this machine; each call of one is noted. */
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewright-apt-'));
  writeFileSync(join(directory, 'calls'), '');
  for (const name of ['apt-get', 'apt-mark', 'dpkg', 'sleep']) stub(name, 'true');
  // No unit is known yet.
  stub('systemctl', '[ "$1" != cat ]');
});
afterEach(() => rmSync(directory, { recursive: true }));

function stub(name: string, body: string): void {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/bash\necho "${name} $*" >>${directory}/calls\n${body}\n`);
  chmodSync(path, 0o755);
}

/** Body of a stand-in that says and fails the first `times`, and succeeds from then on. */
function failing(times: number, says: string, exitCode = 100): string {
  return `n=$(grep -c "^$(basename "$0") .*\${1%% *}" ${directory}/calls)
if [ "$n" -le ${times} ]; then echo ${JSON.stringify(says)} >&2; exit ${exitCode}; fi`;
}

function run(
  install = ['containerd', 'haproxy'],
  proxy: string | null = null,
): { status: number | null; output: string; calls: string[] } {
  const services = ['containerd.service', 'haproxy.service'];
  const script = renderAptTransaction({ install, hold: ['containerd'], services, proxy });
  const env = {
    ...process.env,
    https_proxy: 'http://of.the.login',
    PATH: `${directory}:${process.env.PATH}`,
    TMPDIR: directory,
  };
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    env,
    encoding: 'utf8',
  });
  const calls = readFileSync(join(directory, 'calls'), 'utf8').split('\n').filter(Boolean);
  return { status, output: stdout + stderr, calls };
}

const indexOf = (calls: string[], pattern: RegExp) => calls.findIndex((call) => pattern.test(call));

describe('the apt transaction', () => {
  it('holds services off before it installs and lets them start after it', () => {
    const { status, calls } = run();
    expect(status).toBe(0);
    const mask = indexOf(calls, /^systemctl mask --runtime --quiet containerd.service haproxy.service$/);
    const install = indexOf(calls, /^apt-get install .*--no-install-recommends.* containerd haproxy$/);
    const hold = indexOf(calls, /^apt-mark hold containerd$/);
    const unmask = indexOf(calls, /^systemctl unmask --runtime --quiet containerd.service haproxy.service$/);
    expect([mask, install, hold, unmask].every((index) => index >= 0)).toBe(true);
    expect([mask, install, hold, unmask]).toEqual([mask, install, hold, unmask].toSorted((a, b) => a - b));
  });

  it('removes nothing that the host has: not for conflicts either', () => {
    expect(run().calls.filter((call) => call.startsWith('apt-get install'))).toEqual([
      expect.stringMatching(/ --no-remove /),
    ]);
  });

  it('goes through the proxy that it is given, and through none of the environment', () => {
    stub('apt-get', 'echo "seen: $(env | grep -Eci "^(https?|ftp|all|no)_proxy=")"');
    const none = run();
    expect(none.output).toContain('seen: 0');
    expect(none.calls.join()).not.toContain('Proxy');
    // Lists that are too old are fetched anew, through the same proxy.
    const fresh = `grep -q '^apt-get update' ${directory}/calls`;
    stub('apt-get', `[ "$1" = update ] || ${fresh} || { echo 'E: Unable to locate package runc'; exit 100; }`);
    const { calls } = run(['runc'], 'http://proxy.example.org:3128');
    for (const verb of ['update', 'install']) {
      expect(calls.filter((call) => call.startsWith(`apt-get ${verb}`)).at(-1)).toContain(
        '-oAcquire::http::Proxy=http://proxy.example.org:3128 -oAcquire::https::Proxy=http://proxy.example.org:3128',
      );
    }
  });

  it('repairs an interrupted dpkg first', () => {
    const { calls } = run();
    expect(indexOf(calls, /^dpkg .*--configure -a$/)).toBeGreaterThanOrEqual(0);
    expect(indexOf(calls, /^dpkg/)).toBeLessThan(indexOf(calls, /^apt-get install/));
  });

  it('leaves services alone that were there before', () => {
    stub('systemctl', 'true');
    expect(run().calls.filter((call) => /mask/.test(call))).toEqual([]);
  });

  it('leaves nothing held off when it fails, and says what failed', () => {
    stub('apt-get', '[ "$1" = update ] || { echo "E: dpkg was broken" >&2; exit 100; }');
    const { status, output, calls } = run();
    expect(status).not.toBe(0);
    expect(output).toContain('E: dpkg was broken');
    expect(calls.at(-1)).toMatch(/^systemctl unmask --runtime/);
    expect(indexOf(calls, /^apt-mark/)).toBe(-1);
  });

  it.each([
    'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1',
    'dpkg: error: dpkg frontend lock was locked by another process with pid 7',
  ])('waits while %j', (says) => {
    stub('dpkg', failing(2, says, 2));
    const { status, output, calls } = run();
    expect(status).toBe(0);
    expect(output).toContain('waiting for another package manager');
    expect(calls.filter((call) => call.startsWith('dpkg'))).toHaveLength(3);
  });

  it('gives the lock up in the end', () => {
    stub('dpkg', 'echo "dpkg: error: dpkg frontend lock was locked by another process with pid 7" >&2; exit 2');
    // The clock of bash is moved on instead of waited for.
    stub('sleep', 'true');
    const script = renderAptTransaction({ install: ['containerd'], hold: [], services: [], proxy: null });
    const env = { ...process.env, PATH: `${directory}:${process.env.PATH}`, TMPDIR: directory };
    const moved = script.replace("echo 'kubewright: waiting", "SECONDS=$((SECONDS + 100)); echo 'kubewright: waiting");
    expect(moved).not.toBe(script);
    const { status, stdout } = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', moved], {
      env,
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(stdout).toContain('was held for 600 s');
  });

  it('fetches the lists and tries again when the archive no longer has what they name', () => {
    const counter = join(directory, 'installs');
    stub(
      'apt-get',
      `[ "$1" = install ] || exit 0; [ -e ${counter} ] || { touch ${counter}; echo 'Err:1 x  404  Not Found' >&2; exit 100; }`,
    );
    // Fresh lists: as on a host where they were fetched today. Without any, they are fetched before the first attempt.
    const script = renderAptTransaction({ install: ['containerd'], hold: [], services: [], proxy: null });
    const fresh = script.replace(/lists_are_fresh\(\) \{[\s\S]*?\n\}/, 'lists_are_fresh() { true; }');
    expect(fresh).not.toBe(script);
    const env = { ...process.env, PATH: `${directory}:${process.env.PATH}`, TMPDIR: directory };
    execFileSync('bash', ['--norc', '-euo', 'pipefail', '-c', fresh], { env, stdio: 'ignore' });
    const verbs = readFileSync(join(directory, 'calls'), 'utf8').match(/^apt-get \w+/gm);
    expect(verbs).toEqual(['apt-get install', 'apt-get update', 'apt-get install']);
  });
});
