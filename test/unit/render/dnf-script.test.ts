import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DnfTransaction, renderDnfTransaction } from '../../../src/components/distribution/rhel/dnf.js';

/** The script in a real bash, with stand-ins for dnf and rpm; the real ones are in test/lab/dnf.test.ts. */
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewright-dnf-'));
  writeFileSync(join(directory, 'calls'), '');
  stub('dnf', 'true');
  stub('sleep', 'true');
  // What is asked for is the last word; curl is there as another package, and what dnf has installed.
  stub(
    'rpm',
    `name=\${*: -1}
case $name in
  curl) printf 'provider\\tcurl-minimal\\t0\\t7.76-1\\n' ;;
  *) if grep -q "^dnf install .* $name\\b" ${directory}/calls; then printf "provider\\t$name\\t0\\t1-1\\n"
     else echo "no package provides $name"; exit 1; fi ;;
esac`,
  );
});
afterEach(() => rmSync(directory, { recursive: true }));

function stub(name: string, body: string): void {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/bash\necho "${name} $*" >>${directory}/calls\n${body}\n`);
  chmodSync(path, 0o755);
}

/** Body of a stand-in that says something and fails the first `times`, and succeeds from then on. */
function failing(times: number, says: string, exitCode: number): string {
  return `if [ "$(grep -c '^dnf' ${directory}/calls)" -le ${times} ]; then echo ${JSON.stringify(says)}; exit ${exitCode}; fi`;
}

function run(goal: Partial<DnfTransaction> = {}, change = (script: string) => script) {
  const script = change(renderDnfTransaction({ install: ['containerd', 'curl'], hold: [], proxy: null, ...goal }));
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
  return { status, output: stdout + stderr, dnf: calls.filter((call) => call.startsWith('dnf ')) };
}

describe('the dnf transaction', () => {
  it('passes what is missing alone, and removes nothing for it', () => {
    const { status, dnf } = run();
    expect(status).toBe(0);
    expect(dnf).toEqual([expect.stringMatching(/^dnf install -y .*exit_on_lock=True .* containerd$/)]);
    expect(dnf.join()).not.toMatch(/curl|allowerasing/);
  });

  it('starts no dnf where nothing is missing', () => {
    expect(run({ install: ['curl'] })).toMatchObject({ status: 0, dnf: [] });
  });

  it('takes a database that rpm cannot read for no answer, and installs nothing', () => {
    stub(
      'rpm',
      'echo "error: cannot open Packages database in /var/lib/rpm" >&2; echo "no package provides containerd"; exit 1',
    );
    const { status, output, dnf } = run({ install: ['containerd'] });
    expect(status).toBe(2);
    expect(output).toContain('cannot open Packages database');
    expect(dnf).toEqual([]);
  });

  it('locks the version of the package that provides what is held, without a repository', () => {
    const { status, dnf } = run({ install: ['containerd'], hold: ['containerd', 'curl'] });
    expect(status).toBe(0);
    expect(dnf.at(-1)).toMatch(/^dnf versionlock add .*--disablerepo=\* containerd curl-minimal$/);
  });

  it('goes through the proxy that it is given, and through none of the environment', () => {
    stub('dnf', 'echo "seen: $(env | grep -Eci "^(https?|ftp|all|no)_proxy=")"');
    const none = run();
    expect(none.output).toContain('seen: 0');
    expect(none.dnf.join()).not.toContain('proxy');
    expect(run({ install: ['runc'], proxy: 'http://proxy.example.org:3128' }).dnf.at(-1)).toContain(
      ' --setopt=proxy=http://proxy.example.org:3128 ',
    );
  });

  it.each([
    ['metadata already locked by 25741', 200],
    ["RPM: error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)", 1],
  ])('waits while %j', (says, exitCode) => {
    stub('dnf', failing(2, says, exitCode));
    const { status, output, dnf } = run();
    expect(status).toBe(0);
    expect(output).toContain('waiting for another package manager');
    expect(dnf).toHaveLength(3);
  });

  it('gives the lock up in the end', () => {
    stub('dnf', 'exit 200');
    const { status, output } = run({}, (script) => {
      const moved = script.replace(
        "echo 'kubewright: waiting",
        "SECONDS=$((SECONDS + 100)); echo 'kubewright: waiting",
      );
      expect(moved).not.toBe(script);
      return moved;
    });
    expect(status).not.toBe(0);
    expect(output).toContain('was held for 600 s');
  });

  it.each(['Status code: 404 for http://mirror/x.rpm', 'Error: Unable to find a match: containerd'])(
    'fetches metadata anew once after %j',
    (says) => {
      stub('dnf', failing(1, says, 1));
      const { status, dnf } = run();
      expect(status).toBe(0);
      expect(dnf).toEqual([expect.not.stringContaining('--refresh'), expect.stringContaining(' --refresh ')]);
      stub('dnf', failing(9, says, 1));
      expect(run({ install: ['runc'] }).status).not.toBe(0);
    },
  );

  it('does not try again what failed for another reason, and leaves no file behind', () => {
    stub('dnf', 'echo "Error: GPG check FAILED"; exit 1');
    const { status, dnf } = run();
    expect(status).toBe(1);
    expect(dnf).toHaveLength(1);
    expect(existsSync(join(directory, 'calls'))).toBe(true);
    expect(spawnSync('ls', [directory], { encoding: 'utf8' }).stdout).not.toContain('tmp.');
  });
});
