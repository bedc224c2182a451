import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from './run.js';

const minimal = fileURLToPath(new URL('../../../examples/clusters/minimal.yaml', import.meta.url));

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
    [['skip'], /required option '--reason <text>' not specified/],
    [['validate', '--color', 'sometimes'], /Allowed choices are auto, always, never/],
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

  it.each([['skip'], ['install', 'a', 'b', '--no-such'], ['no-such']])(
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

  it('reads standard input for -, and cluster.yaml where no file is named', async () => {
    const right = await readFile(minimal, 'utf8');
    const piped = await runCommand(['validate', '-'], { stdin: right });
    expect([piped.code, piped.stdout]).toEqual([0, expect.stringMatching(/^standard input is right: /)]);
    const wrong = await runCommand(['validate', '-'], { stdin: right.replace('kind: Cluster', 'kind: Clutser') });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/^standard input:\d+:7: kind: /)]);
    const endless = await runCommand(['validate', '-'], { stdin: 'x'.repeat(3 * 1024 * 1024) });
    expect([endless.code, endless.stderr]).toEqual([2, expect.stringContaining('is larger than 1024 KiB')]);
    for (const command of ['validate', 'plan', 'install', 'ssh-check', 'kubeconfig']) {
      const { code, stderr } = await runCommand([command]);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/^cluster\.yaml:1:1: the file cannot be read/)]);
    }
  });

  it('takes the file as -f too, whatever it does with it, and not two of them', async () => {
    const bad = join(directory, 'bad.yaml');
    const commands = [
      ['validate'],
      ['plan'],
      ['install'],
      ['kubeconfig'],
      ['ssh-check'],
      ['health'],
      ['health', 'schedule', '--every', '5m'],
    ];
    for (const command of [...commands, ['rotate-encryption-key'], ['reset'], ['unlock', 'run-1']]) {
      for (const option of [['-f', bad], [`--file=${bad}`], ['-f', 'other.yaml', '-f', bad]]) {
        const { code, stderr } = await runCommand([...command, ...option]);
        expect([code, stderr], command.join(' ')).toEqual([2, expect.stringContaining(`${bad}:2:7: kind: `)]);
      }
      const piped = await runCommand([...command, '-f', '-'], { stdin: 'kind: x' });
      expect(piped.stderr, command.join(' ')).toMatch(/^standard input:1:7: kind: /m);
    }
    expect((await runCommand(['health', '-f', bad, 'schedule', '--every', '5m'])).stderr).toContain(
      `${bad}:2:7: kind: `,
    );
    // By -f a file is meant, also where a cluster may have its name.
    expect((await runCommand(['rotate-encryption-key', '-f', 'demo'])).stderr).toMatch(
      /^demo:1:1: the file cannot be read/,
    );
    const two = await runCommand(['validate', 'one.yaml', '-f', bad]);
    expect([two.code, two.stderr]).toEqual([2, expect.stringMatching(/KW116[\s\S]*one\.yaml|one\.yaml[\s\S]*KW116/)]);
    expect((await runCommand(['validate', bad, '-f', bad])).stderr).toContain(`${bad}:2:7: kind: `);
  });

  it('takes the hosts from a run whose file is cluster.yaml by default; the run is never left out', async () => {
    expect((await runCommand(['unlock', 'run-1'])).stderr).toMatch(/^cluster\.yaml:1:1: the file cannot be read/);
    expect(await runCommand(['unlock'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("missing required argument 'run'"),
    });
  });

  it('says nothing on the way with --quiet, errors all the same', async () => {
    const warned = (await readFile(minimal, 'utf8')).replace('spec:', 'spec:\n  kubernetes: { version: 1.34.99 }');
    const loud = await runCommand(['validate', '-'], { stdin: warned });
    expect(loud.stderr).toContain('warning: ');
    for (const argv of [
      ['validate', '-', '--quiet'],
      ['-q', 'validate', '-'],
    ]) {
      expect(await runCommand(argv, { stdin: warned })).toMatchObject({ code: 0, stderr: '', stdout: loud.stdout });
    }
    expect((await runCommand(['validate', '-', '-q'], { stdin: '' })).stderr).toContain('KW101');
  });

  it.each([
    [['--color=always'], true],
    [['--color', 'always'], true],
    [['--color=always', '--color=never'], false],
    [['--color=auto'], false],
    [['--no-color'], false],
    [[], false],
  ])('colours a pipe with %j: %s', async (options, colored) => {
    for (const argv of [
      [...options, 'validate', join(directory, 'bad.yaml')],
      ['validate', join(directory, 'bad.yaml'), ...options],
    ]) {
      expect((await runCommand(argv)).stderr.includes('\u001b[')).toBe(colored);
    }
  });

  it('prints a schema that is JSON', async () => {
    const { code, stdout } = await runCommand(['schema']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('properties.spec');
  });
});
