import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Answers, Concern, Fault, LookedAt } from '../../../../../src/activities/check/host/concern.js';
import { Facts, factsProgram } from '../../../../../src/activities/remote-facts.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import type { Sight } from '../../../../../src/plan/sight.js';

let root: string;

/** Makes a directory that stands for the root of one host before each test of the file, and takes it away afterwards. */
export function useOneHost(): void {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'kubewright-look-'));
    mkdirSync(join(root, 'bin'));
  });
  afterEach(() => rmSync(root, { recursive: true }));
}

export function lay(path: string, content = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

export function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

/** A file that keeps whoever reads it. */
export function fifo(path: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  execFileSync('mkfifo', [join(root, path)]);
}

export function remove(path: string): void {
  rmSync(join(root, path), { recursive: true });
}

/**
 * Content of a file of the host.
 *
 * @param copied path of the host below which `path` was copied, with all of the path that it has on this machine
 */
export function read(path: string, copied?: string): string {
  return readFileSync(copied === undefined ? join(root, path) : join(root, path, root, copied), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(join(root, path));
}

/** Where a path of the host lies on this machine. */
export function here(path: string): string {
  return join(root, path);
}

/** Permissions in octal, such as `600`. */
export function modeOf(path: string): string {
  return (statSync(join(root, path)).mode & 0o777).toString(8);
}

/** A program that takes the place of the machine's. */
export function program(name: string, body: string): void {
  lay(`/bin/${name}`, `#!/bin/bash\n${body}\n`);
  chmodSync(join(root, 'bin', name), 0o755);
}

export function at(cluster: Cluster, name: string): LookedAt {
  const host = cluster.hosts.find((each) => each.name === name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return { cluster, host };
}

/** What a script prints in a real bash, whose paths below the host's own folders are in the test's directory. */
export function output(script: string, change: (text: string) => string = (text) => text): Promise<string> {
  const text = change(script).replaceAll(/(?<![\w.}])\/(etc|var|run|proc)\//g, `${root}/$1/`);
  const env = { PATH: `${root}/bin:${process.env.PATH}`, LC_ALL: 'C' };
  return new Promise((resolve, reject) => {
    const child = execFile('bash', ['--norc'], { env }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    child.stdin?.end(text);
  });
}

interface LookOptions {
  /** Milliseconds since the epoch. */
  now?: number;
  change?: (script: string) => string;
}

/** Asks one concern's questions and has it judge the answers; the test's directory does not show in them. */
export async function look(concern: Concern, where: LookedAt, options: LookOptions = {}): Promise<Fault[]> {
  return concern.judge(where, await asked(concern, where, options));
}

/** Asks one concern's questions and has it say what it has seen. */
export async function seen(concern: Concern, where: LookedAt, options: LookOptions = {}): Promise<Sight> {
  return concern.sees?.(where, await asked(concern, where, options)) ?? {};
}

async function asked(concern: Concern, where: LookedAt, { now = Date.now(), change }: LookOptions): Promise<Answers> {
  const said = await output(factsProgram(concern.questions(where)), change);
  return { facts: factsIn(said), sentAt: now, answeredAt: now };
}

/** Long answers are in base64, and the paths in them are of the test's directory. */
function factsIn(said: string): Facts {
  const plain = said
    .split('\n')
    .reduce<string[][]>((groups, line) => {
      const [word, name] = line.split(' ');
      const last = groups.at(-1);
      if (word === 'more' && last !== undefined && last[0]?.split(' ')[1] === name) last.push(line);
      else groups.push([line]);
      return groups;
    }, [])
    .map((group) => {
      const [word, name, status] = (group[0] ?? '').split(' ');
      if (word !== 'fact') return (group[0] ?? '').replaceAll(root, '');
      const base64 = group.map((line) => line.split(' ')[3] ?? '').join('');
      const text = Buffer.from(base64, 'base64').toString('utf8').replaceAll(root, '');
      return `fact ${name} ${status} ${Buffer.from(text).toString('base64')}`;
    });
  return new Facts(plain.join('\n'));
}

/** Facts as a host tells them, for what no directory can show. */
export function told(facts: Record<string, string>): Facts {
  const lines = Object.entries(facts).map(([name, text]) => `fact ${name} 0 ${Buffer.from(text).toString('base64')}`);
  return new Facts(lines.join('\n'));
}
