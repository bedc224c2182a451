import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notRunHere } from '../not-run.js';
import { runCommand } from './run.js';

let directory = '';
let script = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kubewright-completion-'));
  for (const name of ['cluster.yaml', 'with space.yaml', 'other.txt', 'x:y=one.yaml', 'x:two.yaml'])
    writeFileSync(join(directory, name), '');
  mkdirSync(join(directory, 'folder'));
  script = (await runCommand(['completion', 'bash'])).stdout;
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Words as bash has them: it splits at "=" and ":". */
function bashWords(line: string): string[] {
  const words = line.split(' ').flatMap((word) => word.split(/([=:]+)/).filter((part) => part !== ''));
  return line.endsWith(' ') ? [...words, ''] : words;
}

/** What bash offers behind a line. */
function complete(line: string): string[] {
  const words = bashWords(line);
  const call = `${script}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
_kubewright
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['--norc', '-u', '-c', call], { cwd: directory, encoding: 'utf8' });
  return output.split('\n').filter((each) => each !== '');
}

describe('completion in bash', () => {
  it.each([
    ['kubewright ins', ['install']],
    ['kubewright --json val', ['validate']],
    ['kubewright --color always val', ['validate']],
    ['kubewright health sch', ['schedule']],
    ['kubewright lab power-o', ['power-off', 'power-on']],
    ['kubewright bundle ver', ['verify']],
    ['kubewright install --deta', ['--detach']],
    ['kubewright init --fr', ['--from']],
    ['kubewright completion ', ['bash', 'zsh', 'fish']],
    ['kubewright validate --color ', ['auto', 'always', 'never']],
    ['kubewright validate --color=al', ['always']],
    ['kubewright install clu', ['cluster.yaml']],
    ['kubewright install --file clu', ['cluster.yaml']],
    ['kubewright plan -f wi', ['with space.yaml']],
    ['kubewright rotate-encryption-key clu', ['cluster.yaml']],
    ['kubewright init --from=oth', ['other.txt']],
    ['kubewright install --state-dir ', ['folder']],
    ['kubewright --address localhost:7233 install clu', ['cluster.yaml']],
    ['kubewright watch --cluster ', []],
    ['kubewright status clu', ['cluster.yaml']],
    ['kubewright no-such clu', []],
    // What stands before the last ":" or "=" stays as it is typed.
    ['kubewright install x:', ['y=one.yaml', 'two.yaml']],
    ['kubewright install x:y=o', ['one.yaml']],
    ['kubewright install --file=x:t', ['two.yaml']],
  ])('%s', (line, expected) => {
    expect(complete(line).sort()).toEqual([...expected].sort());
  });

  it('offers every command that the help shows', async () => {
    const { stdout } = await runCommand(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z][a-z-]+) .* {2}\S/gm)].map(([, name = '']) => name);
    expect(complete('kubewright ').sort()).toEqual(commands.sort());
  });

  it('offers every option of a command, and no other’s', () => {
    expect(complete('kubewright install -')).toEqual(
      expect.arrayContaining(['-f', '--file', '--timeout', '--json', '--help']),
    );
    expect(complete('kubewright schema -')).not.toContain('--timeout');
  });
});

describe.each(['zsh', 'fish'] as const)('completion in %s', (shell) => {
  it('is a script that the shell takes', async (context) => {
    if (spawnSync(shell, ['--version']).error !== undefined) notRunHere(context, `there is no ${shell}`);
    const { stdout } = await runCommand(['completion', shell]);
    execFileSync(shell, ['-n'], { input: stdout });
  });
});

it('in zsh has a function for each command, with its options and files', async () => {
  const { stdout } = await runCommand(['completion', 'zsh']);
  expect(stdout).toMatch(/^#compdef kubewright\n/);
  expect(stdout).toMatch(/^ {4}'install:make the cluster that a cluster.yaml describes, or go on with it'$/m);
  expect(stdout).toMatch(/^_kubewright_lab_power_off\(\) \{$/m);
  const [, install = ''] = /^_kubewright_install\(\) \{\n([\s\S]*?)^\}/m.exec(stdout) ?? [];
  expect(install).toContain("'(-f --file)'{-f,--file}'[the file, as an option]:value:_files'");
  expect(install).toContain("'--color[print colours: on a terminal, or for a pager]".replace(':', ''));
  expect(install).toContain(':value:(auto always never)');
  expect(install).toMatch(/'1:file:_files'\n$/);
});

it('in fish has a line for each command and option, below the commands before it', async () => {
  const { stdout } = await runCommand(['completion', 'fish']);
  const lines = stdout.split('\n');
  expect(lines).toContain(
    "complete -c kubewright -n '__fish_seen_subcommand_from install' -s f -l file -r -F -d 'the file, as an option'",
  );
  expect(lines).toContain("complete -c kubewright -n '__fish_seen_subcommand_from install' -F");
  expect(lines.some((line) => line.includes(" -a install -d 'make the cluster"))).toBe(true);
  expect(lines.some((line) => /seen_subcommand_from lab; and not .* -a power-off /.test(line))).toBe(true);
});
