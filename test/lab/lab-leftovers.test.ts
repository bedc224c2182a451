import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ensureBaseImage } from '../../lab/base/image.js';
import { clearLeftovers, type Lab, labDirectory, labUp, openLab, takeDown } from '../../lab/hosts/index.js';
import { readJournal, registeredLabs } from '../../lab/hosts/journal.js';
import { processesIn } from '../../lab/hosts/machine/cgroups.js';
import { until } from '../../lab/hosts/machine/run.js';
import { SWITCH_PART } from '../../lab/hosts/network/switch.js';
import { notRunHere } from '../unit/not-run.js';
import { differences, leftovers, type Snapshot, snapshot } from './snapshot.js';

const NAME = 'leftovers';
const CHILD = new URL('lab-child.ts', import.meta.url).pathname;
const LOADER = new URL('../workflow/typescript-loader.mjs', import.meta.url).pathname;

let before: Snapshot;

beforeAll(async () => {
  await ensureBaseImage(() => {});
  await downIfThere();
});
beforeEach(async () => {
  before = await look();
});
afterAll(downIfThere);

const look = (): Promise<Snapshot> => snapshot(NAME, labDirectory(NAME));
const left = (): Promise<string[]> => leftovers(before, NAME, labDirectory(NAME));

async function downIfThere(): Promise<void> {
  await takeDown(NAME).catch((error: { code?: string }) => {
    if (error.code !== 'KW601') throw error;
  });
}

function startUp(hosts: number): ChildProcess {
  return startProcess('up', NAME, String(hosts));
}

function startProcess(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', LOADER, CHILD, ...args], { stdio: 'ignore' });
}

/** Waits until the lab of a child has begun to be made (or a `lab down` has got that far), by its journal. */
async function journalHas(entries: number): Promise<void> {
  const begun = await until(async () => (await readJournal(NAME)).length >= entries, 120_000, 1);
  if (!begun) throw new Error(`the journal did not reach ${entries} entries`);
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  if (!child.kill('SIGKILL')) return;
  await closed;
}

/** Processes on the machine whose command line matches, among those of the lab. */
async function labProcesses(lab: Lab, pattern: RegExp): Promise<number[]> {
  const found = [];
  for (const pid of await processesIn(lab.record.cgroups.processes)) {
    if (pattern.test(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''))) found.push(pid);
  }
  return found;
}

describe('lab down leaves nothing', () => {
  test('the comparison sees what a lab is made of', async () => {
    const lab = await labUp({ name: NAME, hosts: 2 });
    const found = differences(before, await look()).map((line) => line.split(':')[0]);
    // All but mounts: a host's are its own, and not one is in the machine's table.
    expect([...new Set(found)].sort()).toEqual(
      ['cgroups', 'files', 'links', 'loops', 'processes', 'rules'].map((kind) => `left ${kind}`),
    );
    await lab.down();
    expect(await left()).toEqual([]);
  });

  test('the machine’s settings are what they were', async () => {
    const limits = ['fs/inotify/max_user_instances', 'net/ipv4/neigh/default/gc_thresh3'];
    const keys = [...limits, 'fs/inotify/max_user_watches', 'net/ipv4/neigh/default/gc_thresh2', 'net/ipv4/ip_forward'];
    const others = await registeredLabs();
    const read = () => Promise.all(keys.map((key) => readFile(`/proc/sys/${key}`, 'utf8')));
    const values = await read();
    const lab = await labUp({ name: NAME, hosts: 1 });
    const [instances, neighbours] = await read();
    expect(Number(instances)).toBeGreaterThanOrEqual(8192);
    // Of 100 hosts each has an entry for every other one.
    expect(Number(neighbours)).toBeGreaterThanOrEqual(100 * 99);
    await lab.down();
    // Only the last lab puts back what all of them share.
    if (others.length === 0 && (await registeredLabs()).length === 0) expect(await read()).toEqual(values);
  });

  test.each([
    ['systemd-nspawn', /^systemd-nspawn/],
    ['host.sh', /host\.sh/],
    ['the switch', /^kubewright-lab-switch/],
    ['sshd on the hosts', /sshd/],
  ])('after kill -9 of %s', async (_, pattern) => {
    const lab = await labUp({ name: NAME, hosts: 2 });
    const victims = await labProcesses(lab, pattern);
    expect(victims.length).toBeGreaterThan(0);
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    await lab.down();
    expect(await left()).toEqual([]);
  });

  test('with a host switched off, one cut off, one with a full disk', async () => {
    const lab = await labUp({ name: NAME, hosts: 3 });
    const [one, two, three] = lab.hosts;
    await Promise.all([one?.powerOff(), two?.cut(), three?.fillDisk()]);
    await lab.down();
    expect(await left()).toEqual([]);
  });

  test('of a process that has not entered all of its cgroups yet when whoever started it is killed', async (context) => {
    const lab = await labUp({ name: NAME, hosts: 1 });
    const { directories, processes } = lab.record.cgroups;
    const others = directories.filter((directory) => directory !== processes);
    if (others.length === 0) notRunHere(context, 'on cgroup version 2 a process enters one cgroup only');
    const entering = `for cgroup; do echo $$ >"$cgroup/${SWITCH_PART}/cgroup.procs"; done; echo entered; exec sleep infinity`;
    const late = spawn('bash', ['-c', entering, 'late', ...others], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(late, 'exit');
    await once(late.stdout, 'data');
    await lab.down();
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(await left()).toEqual([]);
  });

  test('from another process than the one that made it, and twice is an error', async () => {
    await labUp({ name: NAME, hosts: 1 });
    await (await openLab(NAME)).down();
    expect(await left()).toEqual([]);
    await expect(takeDown(NAME)).rejects.toMatchObject({ code: 'KW601' });
    await expect(openLab(NAME)).rejects.toMatchObject({ code: 'KW601' });
  });
});

describe('kill -9 of lab up', () => {
  // A warm `lab up` of two hosts takes one to three seconds from the first line of its journal on.
  test.each([0, 10, 30, 60, 100, 200, 400, 800, 1500])('%i ms after it began', async (milliseconds) => {
    const child = startUp(2);
    await journalHas(1);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    await kill(child);
    await downIfThere();
    expect(await left()).toEqual([]);
  });

  test.each([1, 2, 3, 4, 5])('at line %i of its journal', async (entries) => {
    const child = startUp(1);
    await journalHas(entries);
    await kill(child);
    await downIfThere();
    expect(await left()).toEqual([]);
  });

  test('what it left can be cleared without knowing its name, once its processes are gone', async () => {
    const child = startUp(1);
    await journalHas(3);
    await kill(child);
    const [entry] = (await readJournal(NAME)).filter(({ made }) => made === 'cgroups');
    if (entry?.made !== 'cgroups') throw new Error('no cgroups in the journal');
    for (const pid of await processesIn(entry.cgroups.processes)) process.kill(pid, 'SIGKILL');
    await until(async () => (await processesIn(entry.cgroups.processes)).length === 0, 5_000);

    expect(await clearLeftovers()).toContain(NAME);
    expect(await left()).toEqual([]);
  });

  test('a running lab is no leftover', async () => {
    const lab = await labUp({ name: NAME, hosts: 1 });
    expect(await clearLeftovers()).not.toContain(NAME);
    expect((await lab.host('cp-1').ssh('hostname')).stdout).toBe('cp-1');
    await lab.down();
  });
});

describe('kill -9 of lab down', () => {
  test.each([0, 20, 50, 100, 200])('%i ms after the first host died, and lab down again', async (milliseconds) => {
    const lab = await labUp({ name: NAME, hosts: 2 });
    const child = startProcess('down', NAME);
    await until(async () => (await lab.host('cp-1').initPid()) === undefined, 120_000, 1);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    await kill(child);
    await downIfThere();
    expect(await left()).toEqual([]);
  });
});

describe('a lab that cannot be made leaves nothing', () => {
  test('an address range in use', async () => {
    const neighbour = await labUp({ name: NAME, hosts: 1 });
    const file = join(neighbour.directory, 'cluster.yaml');
    await expect(labUp({ name: `${NAME}-2`, clusterFile: file })).rejects.toMatchObject({
      code: 'KW604',
      message: expect.stringContaining('is in use on this machine'),
    });
    await neighbour.down();
    expect(await left()).toEqual([]);
  });

  test('interrupted in the middle', async () => {
    const controller = new AbortController();
    const log = (): void => controller.abort(new Error('interrupted'));
    await expect(labUp({ name: NAME, hosts: 2, signal: controller.signal, log })).rejects.toThrow('interrupted');
    expect(await left()).toEqual([]);
  });
});
