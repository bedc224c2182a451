import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { cacheDirectory } from '../../src/bundle/cache-directory.js';
import { KubewrightError } from '../../src/errors.js';
import { carriersOf, type Prepared } from './carriers/index.js';
import { takeDownLocked } from './down.js';
import { note, register, registeredLabs, unregister } from './journal.js';
import { Lab } from './lab.js';
import { claimHierarchies, makeCgroups, planCgroups } from './machine/cgroups.js';
import { withLock } from './machine/lock.js';
import { ensurePackages } from './machine/packages.js';
import { checkKernel, checkMachine, checkPath, checkSpace } from './machine/requirements.js';
import { raiseSharedSysctls } from './machine/shared-sysctls.js';
import { makeUplink } from './machine/uplink.js';
import { inSwitch, SWITCH_PART, startSwitch } from './network/switch.js';
import { checkLabName, labDirectory, labFiles, MACHINE_LOCK } from './paths.js';
import { planLab } from './plan/lab.js';
import { networksInUse } from './plan/subnet.js';
import { writeLabFiles } from './seed/lab-files.js';
import type { LabPlan, LabRecord, LabUpOptions, PlannedHost } from './types.js';

const DISK_GIB = 20;

/**
 * Makes a lab and waits until the login user of every host can log in. When anything fails on the way, what was made is
 * removed again before the error is thrown.
 *
 * @throws KW6xx, before the first change wherever the options or the machine are to blame
 */
export async function labUp(options: LabUpOptions = {}): Promise<Lab> {
  const name = checkLabName(options.name ?? 'lab');
  const log = options.log ?? (() => {});
  const makePlan = await planLab(options);
  checkMachine();
  for (const path of [labDirectory(name), cacheDirectory()]) checkPath(path);
  const prepared = await prepare(makePlan([]).hosts, log, options.signal);
  options.signal?.throwIfAborted();
  const lab = await withLock(MACHINE_LOCK, async () => {
    if (options.replace) await takeDownLocked(name);
    const plan = makePlan(await networksInUse());
    const directory = labDirectory(name);
    await checkSpace(directory, plan.hosts.length);
    const record = await planRecord(name, plan, prepared, options.diskGiB ?? DISK_GIB);
    await takeName(name);
    await orTakeDown(name, () => makeNetwork(directory, record));
    return new Lab(directory, record);
  });
  log(`${lab.hosts.length} hosts in ${lab.record.plan.subnet.cidr}`);
  await orTakeDown(name, () => startHosts(lab, options));
  return lab;
}

/** What the hosts need on the machine and in the cache; most of it is there after the first lab. */
async function prepare(
  hosts: PlannedHost[],
  log: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<Prepared> {
  const carriers = carriersOf(hosts);
  const programs = Object.assign({}, ...carriers.map(({ carrier, carried }) => carrier.programs(carried)));
  await ensurePackages(programs, log);
  await checkKernel();
  const prepared: Prepared = {};
  for (const { carrier, carried } of carriers) Object.assign(prepared, await carrier.prepare(carried, log, signal));
  return prepared;
}

async function planRecord(name: string, plan: LabPlan, prepared: Prepared, diskGiB: number): Promise<LabRecord> {
  return { name, plan, ...prepared, diskGiB, cgroups: planCgroups(name, await claimHierarchies()) };
}

async function takeName(name: string): Promise<void> {
  const hint = `kubewright lab status --name ${name} shows it, lab down --name ${name} removes it, --name makes another one.`;
  if (existsSync(labDirectory(name))) {
    // Without a journal: the machine was restarted, and the disks are what is left. Or it is nothing of ours.
    const known = (await registeredLabs()).includes(name) || existsSync(labFiles(labDirectory(name)).record);
    if (known) throw new KubewrightError('KW605', `There is a lab "${name}" already.`, { hint });
    throw new KubewrightError('KW617', `${labDirectory(name)} exists and is no lab.`, { hint: 'Move it away.' });
  }
  if (!(await register(name))) throw new KubewrightError('KW605', `There is a lab "${name}" already.`, { hint });
}

/** The part that another process could mistake for a leftover, for nothing of the lab runs yet: it holds the lock. */
async function makeNetwork(directory: string, record: LabRecord): Promise<void> {
  const { name, plan, cgroups } = record;
  await note(name, { made: 'directory', path: directory });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(labFiles(directory).record, `${JSON.stringify(record, null, 2)}\n`);
  await note(name, { made: 'cgroups', cgroups });
  await makeCgroups(cgroups, [SWITCH_PART, ...plan.hosts.map((host) => host.name)]);
  const switchPid = await startSwitch(cgroups, plan);
  await raiseSharedSysctls();
  await makeUplink(name, plan.subnet, switchPid);
  await inSwitch(switchPid, 'ip', ['link', 'set', 'uplink', 'master', 'bridge', 'up']);
}

async function startHosts(lab: Lab, options: LabUpOptions): Promise<void> {
  const { directory, record } = lab;
  await Promise.all([writeLabFiles(directory, record, options), ...lab.hosts.map((host) => host.makeDisk())]);
  options.signal?.throwIfAborted();
  await Promise.all(lab.hosts.map((host) => host.powerOn(options.signal)));
}

async function orTakeDown<T>(name: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    await takeDownLocked(name).catch(() => unregister(name));
    throw error;
  }
}
