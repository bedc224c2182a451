import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KubewrightError } from '../../../src/errors.js';
import type { Hosts, RemoteHost } from '../../../src/hosts/types.js';
import { planInstall } from '../../../src/plan/install.js';
import { PLAN_FORMAT, type RunInput, type StepReference } from '../../../src/plan/run.js';
import { VERSION } from '../../../src/version.js';
import { clusterOf } from '../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 2 });

const root = { workflowId: 'cluster/demo', runId: 'run' };
const started: RunInput = { cluster, plan: planInstall(cluster), planHash: 'hash', build: VERSION };

function referenceTo(step: string): StepReference {
  return { root, planHash: 'hash', step, format: PLAN_FORMAT, build: VERSION };
}

/** Units that run on each host, by id; a host that is not named cannot be reached. */
function hostsRunning(units: Record<string, string[]>): Hosts {
  const get = (name: string): RemoteHost => {
    const stopDurables = async (prefix: string): Promise<number> => {
      const running = units[name];
      if (running === undefined) throw new KubewrightError('KW202', 'no way to it', { host: name, transient: true });
      units[name] = running.filter((id) => !id.startsWith(prefix));
      return running.length - units[name].length;
    };
    return { name, stopDurables } as unknown as RemoteHost;
  };
  return { get, close: async () => undefined };
}

/** The activities as a worker registers them, in a context as Temporal gives it. */
async function withActivities<T>(
  hosts: Hosts,
  use: (activities: Activities) => Promise<T>,
  info: Partial<Info> = {},
  onHeartbeat: (details: unknown) => void = () => {},
): Promise<T> {
  vi.doMock('../../../src/hosts/index.js', () => ({ createHosts: () => hosts, makeSshThread: () => undefined }));
  const { createActivities } = await import('../../../src/activities/index.js');
  const activities = createActivities({
    env: {},
    homeDirectory: '/',
    readRun: async () => started,
    temporal: { namespaceId: 'the-namespace', temporal: 'here:7233, namespace default', by: 'anna@desk' },
  });
  const limit = { startToCloseTimeoutMs: 600_000, ...info };
  const environment = new MockActivityEnvironment(limit, { logger: new DefaultLogger('ERROR') });
  environment.on('heartbeat', onHeartbeat);
  return await environment.run(() => use(activities));
}

type Activities = ReturnType<typeof import('../../../src/activities/index.js')['createActivities']>;

afterEach(() => {
  vi.resetModules();
});

describe('stopping a step', () => {
  it('of one host ends its own units there, and no others', async () => {
    const units = { 'w-1': ['cluster/demo:w-1/join:join', 'cluster/demo:w-1/images:images'], 'w-2': ['mine'] };
    expect(await withActivities(hostsRunning(units), ({ stopStep }) => stopStep(referenceTo('w-1/join')))).toBe(1);
    expect(units).toEqual({ 'w-1': ['cluster/demo:w-1/images:images'], 'w-2': ['mine'] });
  });

  it('of the cluster ends its units on whichever hosts they run, also when one cannot be reached', async () => {
    const units = { 'cp-1': ['cluster/demo:cluster/network:a', 'cluster/demo:cluster/nodes:a'], 'w-2': ['other'] };
    const stopped = withActivities(hostsRunning(units), ({ stopStep }) => stopStep(referenceTo('cluster/network')));
    expect(await stopped).toBe(1);
    expect(units).toEqual({ 'cp-1': ['cluster/demo:cluster/nodes:a'], 'w-2': ['other'] });
  });

  it.each(['w-1/join', 'cluster/network'])('that nobody can be asked about is no success: %s', async (id) => {
    const asked = withActivities(hostsRunning({}), ({ stopStep }) => stopStep(referenceTo(id)));
    await expect(asked).rejects.toMatchObject({ name: 'ApplicationFailure', type: 'KW202', nonRetryable: false });
  });
});

describe('a run that holds hosts', () => {
  it('is known there by its namespace and the cluster, with the root of its groups, not by a worker', async () => {
    const scripts: string[] = [];
    const held = ['state=held', 'holder=the-namespace cluster/demo', 'run=another', 'seconds=1', 'left=1'].join('\n');
    const run = async (script: string) => {
      scripts.push(script);
      const released = scripts.some((one) => one.includes('lease_write released'));
      return { exitCode: 0, stdout: released ? '' : held, stderr: '', durationMs: 1 };
    };
    const hosts = { get: (name: string) => ({ name, run }) as unknown as RemoteHost, close: async () => undefined };
    const released = await withActivities(hosts, ({ releaseHosts }) => releaseHosts(referenceTo('cluster/release')));
    expect(released).toEqual({ outcome: 'unchanged', summary: 'no host is held by this run' });
    expect(scripts.join('\n')).toContain("holder='the-namespace cluster/demo'");
  });
});

describe('a step of a run that was planned in another format', () => {
  it('is refused by name before any host is asked, and says both ways out', async () => {
    const asked = withActivities(hostsRunning({}), ({ checkHost }) =>
      checkHost({ ...referenceTo('cp-1/preflight'), format: 77, build: '9.8.7' }),
    );
    await expect(asked).rejects.toMatchObject({
      name: 'ApplicationFailure',
      type: 'KW510',
      nonRetryable: true,
      message: expect.stringContaining('planned by kubewright 9.8.7 (plan format 77), this worker is'),
      details: [
        expect.objectContaining({
          step: 'cp-1/preflight',
          hint: expect.stringMatching(/worker of version 9\.8\.7 and retry, or abort this run/),
        }),
      ],
    });
  });
});

/** A host of which every request meets the same. */
function hostsThat(act: () => Promise<never>): Hosts {
  const remote = { run: act, readFile: act, stopDurables: act };
  return { get: (name) => ({ name, ...remote }) as unknown as RemoteHost, close: async () => undefined };
}

describe('trouble that may heal by itself', () => {
  const away = hostsThat(() =>
    Promise.reject(new KubewrightError('KW202', 'no way to it', { host: 'w-1', hint: 'Look.', transient: true })),
  );
  const tried = (input: Partial<StepReference>, info: Partial<Info>, beats: unknown[] = []) =>
    withActivities(
      away,
      ({ checkHost }) => checkHost({ ...referenceTo('w-1/preflight'), ...input }),
      info,
      (details) => beats.push(details),
    ).catch((error: unknown) => error);

  it('is left to Temporal while patience lasts, and the next try is told since when', async () => {
    const beats: unknown[] = [];
    const before = Date.now();
    expect(await tried({ patienceMs: 60_000 }, {}, beats)).toMatchObject({ type: 'KW202', nonRetryable: false });
    const { troubleSince = 0 } = beats.at(-1) as { troubleSince?: number };
    expect(troubleSince).toBeGreaterThanOrEqual(before);
    // Every beat of the next try says it on: should its worker die, it is not forgotten.
    const later: unknown[] = [];
    const heartbeatDetails = { stage: 'probe', line: '', troubleSince };
    expect(await tried({ patienceMs: 60_000 }, { heartbeatDetails }, later)).toMatchObject({ nonRetryable: false });
    expect(later.map((beat) => (beat as { troubleSince?: number }).troubleSince)).toEqual(
      later.map(() => troubleSince),
    );
  });

  it('is handed to the workflow with all that is known once it has lasted so long; without patience never', async () => {
    const heartbeatDetails = { stage: 'probe', line: '', troubleSince: Date.now() - 61_000 };
    const failure = await tried({ patienceMs: 60_000 }, { heartbeatDetails });
    expect(failure).toMatchObject({ type: 'KW202', nonRetryable: true, message: 'w-1: no way to it' });
    expect((failure as { details: object[] }).details[0]).toMatchObject({ host: 'w-1', hint: 'Look.' });
    expect((failure as { details: { waitedMs: number }[] }).details[0]?.waitedMs).toBeGreaterThanOrEqual(61_000);
    expect(await tried({}, { heartbeatDetails })).toMatchObject({ nonRetryable: false });
  });
});

describe('a step that hangs', () => {
  it('is ended shortly before Temporal would do it, as a failure that counts', async () => {
    const hanging = hostsThat(() => new Promise<never>(() => {}));
    const beats: unknown[] = [];
    const ended = withActivities(
      hanging,
      ({ checkHost }) => checkHost(referenceTo('w-1/preflight')),
      { startToCloseTimeoutMs: 100 },
      (details) => beats.push(details),
    );
    await expect(ended).rejects.toMatchObject({ type: 'KW434', nonRetryable: true });
    // It was over before it had to say that it lives.
    expect(beats).toEqual([]);
  });
});

describe('a step that builds upon a host which is another one by now', () => {
  const joining = referenceTo('w-1/join');
  const failing = new KubewrightError('KW464', 'no control plane has an API server', { hint: 'Bring them back.' });

  /** `blank`: it has no record; `dead`: it cannot be asked; else it is ours. */
  const hostsWith = (states: Record<string, 'blank' | 'dead' | 'ours'>): Hosts => ({
    get: (name) =>
      ({
        name,
        address: '10.0.0.1',
        run: () => Promise.reject(failing),
        readFile: async () => {
          if (states[name] === 'dead') throw new KubewrightError('KW202', 'no way to it', { transient: true });
          return states[name] === 'blank' ? undefined : Buffer.from('{}');
        },
      }) as unknown as RemoteHost,
    close: async () => undefined,
  });
  const failureOf = (hosts: Hosts) =>
    withActivities(hosts, ({ joinWorker }) => joinWorker(joining)).catch((error: unknown) => error);

  it('says which, that what was done there is gone, and how to begin anew', async () => {
    const failure = await failureOf(hostsWith({ 'cp-1': 'blank' }));
    expect(failure).toMatchObject({ type: 'KW540', nonRetryable: true });
    expect((failure as Error).message).toMatch(/^cp-1: it is blank now, although this run has done cp-1\/init there/);
    expect((failure as { details: object[] }).details[0]).toMatchObject({
      host: 'cp-1',
      step: 'w-1/join',
      hint: expect.stringMatching(/kubewright abort --cluster demo.*kubewright install/),
      output: expect.stringContaining('no control plane has an API server'),
    });
  });

  it('says so of the step’s own host as well', async () => {
    const failure = await failureOf(hostsWith({ 'w-1': 'blank' }));
    expect((failure as Error).message).toMatch(/^w-1: it is blank now.*w-1\/images/);
  });

  it('never says so of a host that is ours or that cannot be asked', async () => {
    expect(await failureOf(hostsWith({}))).toMatchObject({ type: 'KW464' });
    expect(await failureOf(hostsWith({ 'cp-1': 'dead', 'w-1': 'dead' }))).toMatchObject({ type: 'KW464' });
  });
});

it('a worker has one thread for the connections to all of its clusters, and closes it behind them', async () => {
  const closed: string[] = [];
  const begin = vi.fn();
  const thread = { begin, close: async () => void closed.push('thread') };
  const given: unknown[] = [];
  const createHosts = (_cluster: unknown, options: { thread?: unknown }) => {
    given.push(options.thread);
    return { ...hostsRunning({ 'cp-1': [] }), close: async () => void closed.push('hosts') };
  };
  const makeSshThread = vi.fn(() => thread);
  vi.doMock('../../../src/hosts/index.js', () => ({ createHosts, makeSshThread }));
  const { createActivities } = await import('../../../src/activities/index.js');
  const clusters = [cluster, clusterOf({ controlPlanes: 3, workers: 0 })];
  const readRun = async ({ runId }: { runId: string }): Promise<RunInput> => ({
    ...started,
    cluster: clusters[Number(runId)] ?? cluster,
  });
  const activities = createActivities({ env: {}, homeDirectory: '/', readRun });
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  for (const runId of ['0', '1'])
    await environment.run(() => activities.stopStep({ ...referenceTo('cp-1/init'), root: { ...root, runId } }));
  // Before the first step: what an update puts in its place later on is another program.
  expect(begin).toHaveBeenCalledOnce();
  expect(given).toEqual([thread, thread]);
  expect(makeSshThread).toHaveBeenCalledOnce();
  await activities.close();
  expect(closed).toEqual(['hosts', 'hosts', 'thread']);
});
