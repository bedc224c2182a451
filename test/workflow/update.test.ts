import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, type ResultPromise } from 'execa';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type FakeClusterFiles, makeFakeCluster } from '../../bench/scale/fake-hosts/cluster-file.js';
import { connect } from '../../src/engine/connect.js';
import type { Engine } from '../../src/engine/types.js';
import type { RunProgress } from '../../src/workflows/types.js';

/**
 * Kubewright is updated while an install waits for a person. The builds are real ones: copies of dist/ with another version, or
 * another plan format, each run by its own program; so is the embedded server. The hosts are the fakes of `npm run bench:scale`.
 */
const ROOT = join(import.meta.dirname, '../..');
const LOADER = ['--import', new URL('./typescript-loader.mjs', import.meta.url).href];
const FAULT = 'E: Unable to locate package keepalived';

let directory = '';
let stateDir = '';
let engine: Engine;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-update-'));
  stateDir = join(directory, 'state');
  await layOut('before', '0.7.0');
  await layOut('in-place', '0.7.0');
  await layOut('after', '0.8.0');
  await layOut('other-format', '0.9.0', 99);
  engine = await connect({ stateDir });
}, 120_000);
afterAll(async () => {
  await engine?.close();
  await kubewright('after', ['worker', 'stop']);
  await kubewright('after', ['server', 'stop']);
  await rm(directory, { recursive: true, force: true, maxRetries: 20 });
}, 60_000);

type Build = 'before' | 'after' | 'in-place' | 'other-format';

/** A copy of what was built, as another version. */
async function layOut(build: Build, version: string, planFormat?: number): Promise<void> {
  const home = join(directory, build);
  await mkdir(home);
  // The modules of Temporal's program stand below src/.
  for (const part of ['package.json', 'bin', 'dist', 'src/artifacts']) {
    await cp(join(ROOT, part), join(home, part), { recursive: true });
  }
  await symlink(join(ROOT, 'node_modules'), join(home, 'node_modules'));
  await edit(join(home, 'package.json'), /"version": "[^"]+"/, `"version": "${version}"`);
  await edit(join(home, 'dist/src/version.js'), /VERSION = '[^']+'/, `VERSION = '${version}'`);
  if (planFormat === undefined) return;
  await edit(join(home, 'dist/src/plan/run.js'), /PLAN_FORMAT = \d+/, `PLAN_FORMAT = ${planFormat}`);
}

async function edit(file: string, what: RegExp, by: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(text).toMatch(what);
  await writeFile(file, text.replace(what, by));
}

function kubewright(build: Build, args: string[]): ResultPromise<{ all: true; reject: false }> {
  const program = join(directory, build, 'bin/kubewright.mjs');
  return execa(process.execPath, [program, '--state-dir', stateDir, ...args], { all: true, reject: false });
}

/** A cluster of its own for a test; its packages cannot be installed. */
async function faultyCluster(name: string): Promise<FakeClusterFiles> {
  const made = await makeFakeCluster({
    directory: join(directory, name),
    name,
    controlPlanes: 3,
    workers: 1,
    pace: 0.02,
    loader: LOADER,
  });
  onTestFinished(() => made.hosts.stop());
  made.hosts.setFault(FAULT);
  return made;
}

/**
 * An install in the background of which nothing runs any more: everything that could fail waits for a person. A host that comes to
 * its packages later would fail after `retry '*'`, which is meant for those that wait then.
 */
async function beginInstall({ file, cluster: { name } }: FakeClusterFiles, by: Build = 'before'): Promise<void> {
  const { exitCode, all } = await kubewright(by, ['install', '--detach', file]);
  expect(exitCode, all).toBe(0);
  await expect.poll(() => statesOf(name), LONG).toEqual(['blocked', 'done', 'waiting']);
}

/** The states that steps of the latest run are in. */
async function statesOf(name: string): Promise<string[]> {
  const { progress } = (await status(name)) as { progress?: RunProgress };
  return [...new Set(progress?.steps.map(({ state }) => state))].sort();
}

const LONG = { timeout: 120_000, interval: 500 };

async function status(name: string): Promise<object> {
  const { stdout } = await kubewright('after', ['status', name, '--json']);
  return linesOf(stdout).find(({ type }) => type === 'install') ?? { said: stdout };
}

function linesOf(output: string): Record<string, unknown>[] {
  const lines = output.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Versions of the builds that have carried out the latest run's steps, in the order of their first step. */
async function buildsThatWorked(name: string): Promise<string[]> {
  const { events } = await engine.client.workflow.getHandle(`cluster/${name}`).fetchHistory();
  const identities = (events ?? []).flatMap(({ activityTaskStartedEventAttributes: event }) => event?.identity ?? []);
  return [...new Set(identities.map((identity) => / kubewright\/([\d.]+)/.exec(identity)?.[1] ?? identity))];
}

describe('an install waits for a person, and Kubewright is updated', { timeout: 300_000 }, () => {
  it('the workers that began it end it, told by the new version; the next install is the new version’s', async () => {
    const made = await faultyCluster('kept');
    await beginInstall(made);
    expect(await status('kept')).toMatchObject({
      source: 'worker',
      build: expect.stringMatching(/^0\.7\.0/),
      pinnedTo: expect.stringMatching(/^0\.7\.0/),
    });
    made.hosts.setFault(undefined);
    const retried = await kubewright('after', ['retry', '*', '--cluster', 'kept']);
    expect(retried.exitCode, retried.all).toBe(0);
    // The new version attaches, and brings no second worker.
    const { exitCode, all } = await kubewright('after', ['install', made.file]);
    expect(exitCode, all).toBe(0);
    expect(all).toMatch(/worker that runs is kubewright 0\.7\.0/);
    expect(await buildsThatWorked('kept')).toEqual(['0.7.0']);

    // The fakes do not play a cluster that is installed again: it is enough to see who begins.
    const next = await kubewright('after', ['install', '--detach', made.file]);
    expect(next.exitCode, next.all).toBe(0);
    await expect.poll(() => buildsThatWorked('kept'), LONG).toEqual(['0.8.0']);
    expect((await workerOf('kept')).build).toMatch(/^0\.8\.0/);
  });

  it('the same where the files of the one that runs are replaced, as by npm update', async () => {
    const made = await faultyCluster('replaced');
    await beginInstall(made, 'in-place');
    await rm(join(directory, 'in-place'), { recursive: true });
    await layOut('in-place', '0.8.0');
    made.hosts.setFault(undefined);
    const retried = await kubewright('in-place', ['retry', '*', '--cluster', 'replaced']);
    expect(retried.exitCode, retried.all).toBe(0);
    const { exitCode, all } = await kubewright('in-place', ['install', made.file]);
    expect(exitCode, all).toBe(0);
    expect(await buildsThatWorked('replaced')).toEqual(['0.7.0']);
  });

  it('a run whose workers are gone is taken over by the new version, which knows its plan', async () => {
    const made = await faultyCluster('orphan');
    await beginInstall(made);
    await killWorker('orphan');
    // It brings a worker of its own, and leaves it there.
    await kubewright('after', ['install', '--detach', made.file]);
    await expect
      .poll(() => status('orphan'), LONG)
      .toMatchObject({
        source: 'worker',
        build: expect.stringMatching(/^0\.7\.0/),
        pinnedTo: expect.stringMatching(/^0\.8\.0/),
      });
    made.hosts.setFault(undefined);
    await kubewright('after', ['retry', '*', '--cluster', 'orphan']);
    const { exitCode, all } = await kubewright('after', ['install', made.file]);
    expect(exitCode, all).toBe(0);
    expect(await buildsThatWorked('orphan')).toEqual(['0.7.0', '0.8.0']);
  });

  it('a version that does not know the plan says so before anything, and takes over by abort and install', async () => {
    const made = await faultyCluster('foreign');
    await beginInstall(made);
    await killWorker('foreign');
    made.hosts.setFault(undefined);
    const refused = await kubewright('other-format', ['install', made.file]);
    expect(refused.exitCode).toBe(1);
    expect(refused.all).toMatch(/KW563/);
    expect(refused.all).toContain('kubewright abort --cluster foreign');
    expect(await buildsThatWorked('foreign')).toEqual(['0.7.0']);

    const aborted = await kubewright('other-format', ['abort', '--cluster', 'foreign']);
    expect(aborted.exitCode, aborted.all).toBe(0);
    expect(await status('foreign')).toMatchObject({ status: 'failed', progress: { state: 'aborted' } });
    const { exitCode, all } = await kubewright('other-format', ['install', made.file]);
    expect(exitCode, all).toBe(0);
    expect(await buildsThatWorked('foreign')).toEqual(['0.9.0']);
  });
});

/** The background worker of a cluster. */
async function workerOf(name: string): Promise<Record<string, unknown>> {
  const { stdout } = await kubewright('after', ['worker', 'status', '--json']);
  const worker = linesOf(stdout).find(({ queue }) => queue === `kubewright/cluster/${name}`);
  if (worker === undefined) throw new Error(`no worker of ${name} runs:\n${stdout}`);
  return worker;
}

/** As a machine that loses power: nobody drains, nobody says that he leaves. */
async function killWorker(name: string): Promise<void> {
  process.kill(Number((await workerOf(name)).pid), 'SIGKILL');
}
