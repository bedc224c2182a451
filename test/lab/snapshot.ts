import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { registeredLabs } from '../../lab/hosts/journal.js';
import { until } from '../../lab/hosts/machine/run.js';

const KINDS = ['processes', 'mounts', 'links', 'rules', 'loops', 'cgroups', 'files'] as const;
type Kind = (typeof KINDS)[number];

/** Everything that a lab could leave on the machine, as lines. */
export type Snapshot = Record<Kind, string[]>;

/** What a lab is not to take away either. The rest may end by itself at any time. */
const LASTING: readonly Kind[] = ['mounts', 'links', 'rules', 'loops'];

/** Labs of other tests, or a living one, that were seen at any time: what is theirs comes and goes meanwhile. */
const others = new Set<string>();

/**
 * Looks at the whole machine, and leaves out what belongs to other labs than `name`, and processes that cannot be a
 * lab's: those that live in this process's own namespaces and do not name a lab.
 */
export async function snapshot(name: string, directory: string): Promise<Snapshot> {
  await noteOthers(name);
  const lines: Snapshot = {
    processes: await listProcesses(name, directory),
    mounts: (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ').slice(3).join(' ')),
    links: (await output('ip', ['-brief', 'link'])).map((line) => line.split(/[\s@]/)[0] ?? ''),
    rules: (await output('iptables-save', [])).filter((line) => /^-|^:KW/.test(line)),
    loops: (await output('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])).map((line) => line.trim()),
    // Other programs make cgroups too; a lab's all lie below one that bears its name.
    cgroups: (await directoriesBelow('/sys/fs/cgroup', 5)).filter((path) => path.includes('kubewright')),
    files: [...(await list('/run/kubewright-lab')), ...(await list(join(directory, '..')))].map(
      (file) => `/lab/${file}`,
    ),
  };
  await noteOthers(name);
  for (const kind of KINDS) lines[kind] = lines[kind].filter((line) => line && !isForeign(line)).sort();
  return lines;
}

/** What is there now and was not before, or was there before and is gone: lines of `left KIND: …` and `taken KIND: …`. */
export function differences(before: Snapshot, now: Snapshot): string[] {
  return KINDS.flatMap((kind) => {
    const left = now[kind].filter((line) => !before[kind].includes(line));
    const taken = before[kind].filter(
      (line) => LASTING.includes(kind) && !isForeign(line) && !now[kind].includes(line),
    );
    return [...left.map((line) => `left ${kind}: ${line}`), ...taken.map((line) => `taken ${kind}: ${line}`)];
  });
}

/** The differences that stay: a leftover does, so this looks again for some seconds before it calls something one. */
export async function leftovers(before: Snapshot, name: string, directory: string): Promise<string[]> {
  let found: string[] = [];
  await until(
    async () => {
      found = differences(before, await snapshot(name, directory));
      return found.length === 0;
    },
    15_000,
    500,
  );
  return found;
}

async function noteOthers(name: string): Promise<void> {
  for (const lab of await registeredLabs()) if (lab !== name) others.add(lab);
}

function isForeign(line: string): boolean {
  if (line.includes('/lab/sysctls.json')) return others.size > 0;
  return [...others].some((lab) =>
    new RegExp(`(kubewright-lab-|kw-|KW-|/lab/)${lab}(?![a-z0-9-]*[a-z0-9])|KW-${lab}-`).test(line),
  );
}

async function listProcesses(name: string, directory: string): Promise<string[]> {
  const own = await Promise.all(['net', 'pid'].map((kind) => readlink(`/proc/self/ns/${kind}`)));
  const found = [];
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const [commandLine, cgroup, stat] = [await read('cmdline'), await read('cgroup'), await read('stat')];
    const namespaces = await Promise.all(
      ['net', 'pid'].map((kind) => readlink(`/proc/${pid}/ns/${kind}`).catch(() => '')),
    );
    // A zombie is its parent's to bury; kernel threads have no command line.
    if (/^ Z /.test(stat.slice(stat.lastIndexOf(')') + 1)) || commandLine === '') continue;
    const elsewhere = namespaces.some((namespace, index) => namespace !== '' && namespace !== own[index]);
    const named = commandLine.includes(directory) || commandLine.split('\0').includes(name);
    if (elsewhere || named || cgroup.includes(`kubewright-lab-${name}/`)) {
      found.push(`${pid} ${commandLine.replaceAll('\0', ' ')} ${cgroup.replaceAll('\n', ' ')}`);
    }
  }
  return found;
}

async function output(command: string, args: string[]): Promise<string[]> {
  return (await execa(command, args)).stdout.split('\n');
}

async function list(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}

async function directoriesBelow(directory: string, depth: number): Promise<string[]> {
  if (depth === 0) return [];
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
  return [...directories, ...(await Promise.all(directories.map((path) => directoriesBelow(path, depth - 1)))).flat()];
}
