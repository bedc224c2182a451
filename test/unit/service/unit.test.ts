import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { environmentTemplate } from '../../../src/service/environment.js';
import { renderUnit } from '../../../src/service/unit.js';
import { notRunHere } from '../not-run.js';

const plain = {
  node: '/usr/bin/node',
  program: '/usr/local/lib/node_modules/kubewright/bin/kubewright.mjs',
  stateDir: '/root/.local/state/kubewright',
  user: 'root',
};
const odd = {
  node: '/opt/node 20%/bin/no$de',
  program: '/opt/a "b" \\c/50%/$HOME/kubewright.mjs',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd would put a variable there.
  stateDir: '/srv/state of ${USER}/%h',
  user: 'kube',
};
const line = (unit: string, key: string) => unit.split('\n').find((each) => each.startsWith(`${key}=`));

describe('the unit of the service', () => {
  it('is what is written down', async () => {
    await expect(renderUnit(plain)).toMatchFileSnapshot('golden/kubewright.service');
  });

  it('names paths as systemd reads them: blanks, quotes, percent signs, backslashes and dollars', () => {
    expect(line(renderUnit(odd), 'ExecStart')).toBe(
      'ExecStart="/opt/node 20%%/bin/no$de" "/opt/a \\"b\\" \\\\c/50%%/$$HOME/kubewright.mjs" "server" "run" "--embedded" ' +
        '"--state-dir" "/srv/state of $${USER}/%%h"',
    );
  });

  it('has no secret and no value of the environment: it names a file that systemd reads', () => {
    const unit = renderUnit(plain);
    expect(line(unit, 'EnvironmentFile')).toBe('EnvironmentFile=-/etc/kubewright/service.env');
    expect(unit).not.toMatch(/^Environment=/m);
  });

  it('is one that systemd takes, and starts the program that was meant', async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'kubewright-unit-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, 'kubewright.service');
    for (const unit of [plain, odd]) {
      await writeFile(file, renderUnit(unit));
      const { exitCode, stderr } = await execa('systemd-analyze', ['verify', '--man=no', file], { reject: false });
      if (exitCode === undefined) notRunHere(context, 'there is no systemd-analyze');
      // What a unit says wrongly is told with its file and line.
      expect(stderr.split('\n').filter((each) => /kubewright\.service:\d+/.test(each))).toEqual([]);
      if (unit === odd) expect(stderr).toContain(`Command ${odd.node} is not executable`);
    }
  });
});

describe('the environment file', () => {
  it('is made with names alone: nothing in it has a value', () => {
    const lines = environmentTemplate().split('\n');
    expect(lines.filter((each) => each !== '' && !each.startsWith('#'))).toEqual([]);
    expect(lines.filter((each) => /^#[A-Z_]+=/.test(each)).length).toBeGreaterThan(3);
    expect(lines.filter((each) => /^#[A-Z_]+=./.test(each))).toEqual([]);
  });
});
