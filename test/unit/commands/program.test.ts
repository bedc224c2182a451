import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from './run.js';

// Each of these costs more than the whole help text may take. Importing one makes a test fail, `--help` first of all.
for (const heavy of ['@temporalio/client', '@temporalio/worker', 'ssh2', 'zod', 'yaml', 'execa']) {
  vi.doMock(heavy, () => {
    throw new Error(`${heavy} was imported`);
  });
}

describe('the program', () => {
  it('shows its help without loading anything heavy', async () => {
    const { code, stdout } = await runCommand(['--help']);
    expect(code).toBe(0);
    for (const command of ['install', 'plan', 'status', 'watch', 'kubeconfig', 'retry', 'skip', 'abort', 'validate']) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
    for (const command of ['schema', 'worker', 'server', 'lab', 'bundle']) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
  });

  it.each([
    [['lab', '--help'], /^ {2}power-off /m],
    [['help', 'lab'], /^ {2}power-off /m],
    [['lab', 'ssh', '--help'], /Usage: kubewright lab ssh /],
    [['install', '--help'], /--detach/],
    [['help'], /Usage: kubewright /],
  ])('helps with %j', async (argv, expected) => {
    const { code, stdout } = await runCommand(argv);
    expect(code).toBe(0);
    expect(stdout).toMatch(expected);
  });

  it.each([
    [['instal'], /Did you mean install\?/],
    [['install'], /missing required argument 'file'/],
    [['install', 'c.yaml', '--detatch'], /Did you mean --detach\?/],
    [['skip', 'cp-2/join'], /required option '--reason <text>' not specified/],
    [['lab', 'upp'], /Did you mean up\?/],
  ])('refuses %j with exit code 2', async (argv, expected) => {
    const { code, stderr } = await runCommand(argv);
    expect(code).toBe(2);
    expect(stderr).toMatch(expected);
  });

  it('prints its version', async () => {
    expect(await runCommand(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });
});

describe('a command', () => {
  let directory = '';
  beforeAll(async () => {
    vi.doUnmock('yaml');
    vi.doUnmock('zod');
    directory = await mkdtemp(join(tmpdir(), 'kubewright-commands-'));
    await writeFile(join(directory, 'bad.yaml'), 'apiVersion: kubewright.dev/v1alpha1\nkind: Clutser\nspec: {}\n');
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('that reads a wrong cluster.yaml says all of it, located, and exits with 2', async () => {
    const file = join(directory, 'bad.yaml');
    for (const command of ['validate', 'plan', 'install', 'kubeconfig']) {
      const { code, stderr, stdout } = await runCommand([command, file]);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toContain(`${file}:2:7: kind: `);
      expect(stderr).toContain(`${file}:3:`);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  });

  it.each([['install'], ['install', 'a', 'b', '--no-such'], ['no-such']])(
    'tells a wrong command line as an object with --json: %j',
    async (...argv) => {
      const { code, objects } = await runCommand([...argv, '--json']);
      expect(code).toBe(2);
      expect(objects).toMatchObject([
        { type: 'error', code: 'KW102' },
        { type: 'end', exitCode: 2 },
      ]);
    },
  );

  it('tells errors as one object with --json, before or behind its name', async () => {
    const file = join(directory, 'missing.yaml');
    for (const argv of [
      ['--json', 'validate', file],
      ['validate', file, '--json'],
    ]) {
      const { code, objects, stderr } = await runCommand(argv);
      expect(code).toBe(2);
      expect(stderr).toBe('');
      expect(objects).toMatchObject([
        { type: 'error', code: 'KW101', problems: [{ line: 1, column: 1 }] },
        { type: 'end', exitCode: 2 },
      ]);
    }
  });

  it('prints a schema that is JSON', async () => {
    const { code, stdout } = await runCommand(['schema']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('properties.spec');
  });
});
