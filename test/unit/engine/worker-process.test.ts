import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { identityOf, isAlive, ownIdentity } from '../../../src/engine/processes/identity.js';
import type { Engine } from '../../../src/engine/types.js';
import { environmentFor } from '../../../src/engine/worker/environment.js';
import { workerArguments, workerName, workerRecords } from '../../../src/engine/worker/record.js';
import { ensureWorker, listWorkers, retireOutdatedWorker, stopWorkers } from '../../../src/engine/worker-process.js';
import { VERSION } from '../../../src/version.js';

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kubewright-worker-'));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const address = '127.0.0.1:7233';
const server = { revive: async () => {} };
const settings = { address, namespace: 'default', source: 'embedded' };
const engineOf = (fields: object = {}) =>
  ({ stateDir, settings, server, environment: {}, taskQueue: 'kubewright', ...fields }) as unknown as Engine;
const needs = { variables: ['B_SUDO'], agent: false };

/** A process that looks like a background worker. */
async function orphan(name: string, build: string): Promise<{ pid: number; startTime: string }> {
  const argv = ['-e', 'setInterval(() => {}, 1e6)', '--', ...workerArguments(stateDir, name, build)];
  const child = spawn(process.execPath, argv, { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  onTestFinished(() => void child.kill('SIGKILL'));
  const identity = await identityOf(child.pid ?? 0);
  if (identity === undefined) throw new Error('it does not run');
  return identity;
}

/** A record that says of this very process that it is the worker of a queue. */
async function recordThis(name: string, environment: object, build = VERSION): Promise<void> {
  const record = {
    ...(await ownIdentity()),
    users: [],
    detached: true,
    build,
    address,
    queue: 'q',
    environment,
  };
  await writeFile(join(stateDir, `${name}.json`), JSON.stringify(record));
}

describe('a worker’s record', () => {
  it('is one for each server, namespace and queue', () => {
    const remote = { server: undefined, settings: { address: 'a:1', namespace: 'n', source: '' } };
    const names = [
      workerName({ stateDir }),
      workerName(engineOf({ taskQueue: 'kubewright/cluster/demo' })),
      workerName(engineOf({ taskQueue: 'mine/cluster/demo' })),
      workerName(engineOf(remote)),
      workerName(engineOf({ ...remote, taskQueue: 'kubewright/cluster/demo' })),
      workerName(engineOf({ ...remote, settings: { ...remote.settings, namespace: 'other' } })),
    ];
    expect(names.slice(0, 2)).toEqual(['worker', 'worker-demo']);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a worker whose record was lost', () => {
  it('is found by the state directory, of whatever version it is, and stopped', async () => {
    const identity = await orphan('worker', '9.8.7');
    expect(await stopWorkers(stateDir)).toBe(1);
    expect(await isAlive(identity)).toBe(false);
  });

  it.each([VERSION, '9.8.7'])(
    'is replaced, be it of version %s; one of another cluster is left alone',
    async (version) => {
      const [own, other] = [await orphan('worker', version), await orphan('worker-other', VERSION)];
      // Behind the orphan's end a new one is started: that fails here, for there is no program.
      await expect(ensureWorker(engineOf(), { program: '/none' })).rejects.toMatchObject({ code: 'KW514' });
      expect(await isAlive(own)).toBe(false);
      expect(await isAlive(other)).toBe(true);
    },
  );
});

describe('a worker of another build of this version', () => {
  it('is used, and says which it is', async () => {
    await recordThis('worker', await environmentFor(stateDir, {}, needs), `${VERSION}+0123456ab`);
    const worker = await ensureWorker(engineOf(), { env: {}, needs, program: '/none' });
    expect(worker).toMatchObject({ pid: process.pid, started: false, build: `${VERSION}+0123456ab` });
  });
});

describe('a worker of another version', () => {
  /** What Temporal's list says is open on the queue, and what each run says of itself. */
  const clientOf = (statuses: string[]) => ({
    workflowService: {
      listWorkflowExecutions: async () => ({
        executions: statuses.map((workflowId) => ({ execution: { workflowId } })),
      }),
    },
    workflow: { getHandle: (name: string) => ({ describe: async () => ({ status: { name } }) }) },
  });
  const refusing = {
    workflowService: {
      listWorkflowExecutions: async () => Promise.reject(new Error('not now')),
    },
  };

  it.each([
    ['has a run open', clientOf(['COMPLETED', 'RUNNING'])],
    ['may have one open, as nobody says', refusing],
    ['has more than can be looked at', clientOf(new Array(20).fill('COMPLETED'))],
  ])('is used as long as it %s', async (_, client) => {
    const environment = await environmentFor(stateDir, {}, needs);
    await recordThis('worker', environment, '9.8.7+0123456ab');
    const engine = engineOf({ client });
    // This very process stands for the worker: whoever ends it ends the test.
    await retireOutdatedWorker(engine, { env: {}, needs });
    const worker = await ensureWorker(engine, { env: {}, needs, program: '/none' });
    expect(worker).toMatchObject({ pid: process.pid, started: false, build: '9.8.7+0123456ab' });
  });

  it('is used as long as this terminal lacks what it has: its successor could not log in', async () => {
    await recordThis('worker', await environmentFor(stateDir, { B_SUDO: 'secret' }, needs), '9.8.7');
    const worker = await ensureWorker(engineOf({ client: clientOf([]) }), { env: {}, needs, program: '/none' });
    expect(worker).toMatchObject({ pid: process.pid, started: false });
  });

  // A list still holds for a second what has just ended.
  it.each([[[]], [['COMPLETED']]])('is drained where nothing is open any more: %j', async (listed) => {
    const identity = await orphan('worker', '9.8.7');
    const environment = await environmentFor(stateDir, {}, needs);
    const record = { ...identity, users: [], detached: true, build: '9.8.7', address, environment };
    await writeFile(join(stateDir, 'worker.json'), JSON.stringify(record));
    await retireOutdatedWorker(engineOf({ client: clientOf(listed) }), { env: {}, needs });
    expect(await isAlive(identity)).toBe(false);
    // That it was to stay is known to its successor.
    expect(await workerRecords(stateDir, 'worker').read()).toMatchObject({ pid: 0, detached: true });
  });
});

describe('a worker that was started from another terminal', () => {
  it('is used when it has what this terminal has', async () => {
    const env = { B_SUDO: 'secret' };
    await recordThis('worker', await environmentFor(stateDir, env, needs));
    for (const mine of [env, {}]) {
      const worker = await ensureWorker(engineOf(), { env: mine, needs, program: '/none' });
      expect(worker).toMatchObject({ pid: process.pid, started: false, replacedFor: [] });
    }
  });

  it('is refused with the variable’s name where it serves others as well, and told how to restart it', async () => {
    await recordThis('worker', await environmentFor(stateDir, { B_SUDO: 'another' }, needs));
    const asked = ensureWorker(engineOf(), { env: { B_SUDO: 'secret' }, needs, program: '/none' });
    await expect(asked).rejects.toMatchObject({
      code: 'KW517',
      message: expect.stringMatching(/B_SUDO$/),
      hint: expect.stringContaining('kubewright worker stop'),
    });
    expect(await listWorkers(stateDir)).toHaveLength(1);
  });

  it('is drained and replaced on a cluster’s own queue', async () => {
    const name = workerName(engineOf({ taskQueue: 'kubewright/cluster/demo' }));
    const identity = await orphan(name, VERSION);
    const environment = await environmentFor(stateDir, { B_SUDO: 'another' }, needs);
    const record = { ...identity, users: [], detached: false, build: VERSION, address, environment };
    await writeFile(join(stateDir, `${name}.json`), JSON.stringify(record));
    const options = { env: { B_SUDO: 'secret' }, needs, replace: true, program: '/none' };
    await expect(ensureWorker(engineOf({ taskQueue: 'kubewright/cluster/demo' }), options)).rejects.toMatchObject({
      code: 'KW514',
    });
    expect(await isAlive(identity)).toBe(false);
  });
});

describe('a worker that has died', () => {
  it('is left to the terminal that has what it needs, as long as that one lives', async () => {
    const [identity, theirs] = [await orphan('x', VERSION), await orphan('y', VERSION)];
    const environment = await environmentFor(stateDir, { B_SUDO: 'theirs' }, needs);
    const users = [{ ...theirs, id: 'their terminal' }];
    const record = { ...identity, users, detached: false, build: VERSION, address, environment };
    await writeFile(join(stateDir, 'worker.json'), JSON.stringify(record));
    const worker = await ensureWorker(engineOf(), { env: {}, needs, program: '/none' });
    process.kill(identity.pid, 'SIGKILL');
    await expect.poll(() => isAlive(identity)).toBe(false);
    expect(await worker.revive()).toBe(false);
    process.kill(theirs.pid, 'SIGKILL');
    await expect.poll(() => isAlive(theirs)).toBe(false);
    // Nobody else is left to start it.
    await expect(worker.revive()).rejects.toMatchObject({ code: 'KW514' });
  });
});

describe('a worker that another terminal has just replaced', () => {
  it('is not replaced back by those who missed the one before', async () => {
    const taskQueue = 'kubewright/cluster/demo';
    const name = workerName(engineOf({ taskQueue }));
    const [before, after] = [await orphan('x', VERSION), await orphan('y', VERSION)];
    const recorded = async (identity: object, B_SUDO: string) => {
      const environment = await environmentFor(stateDir, { B_SUDO }, needs);
      return { ...identity, users: [], detached: false, build: VERSION, address, environment } as never;
    };
    await writeFile(join(stateDir, `${name}.json`), JSON.stringify(await recorded(before, 'mine')));
    const options = { env: { B_SUDO: 'mine' }, needs, replace: true, program: '/none' };
    const worker = await ensureWorker(engineOf({ taskQueue }), options);
    let revived: Promise<boolean> | undefined;
    await workerRecords(stateDir, name).update(async () => {
      process.kill(before.pid, 'SIGKILL');
      await expect.poll(() => isAlive(before)).toBe(false);
      // It sees that its worker is gone, and has to wait for its turn.
      revived = worker.revive();
      await expect.poll(async () => Promise.race([revived, 'waits'])).toBe('waits');
      return { record: await recorded(after, 'theirs'), result: undefined };
    });
    expect(await revived).toBe(false);
    expect(await isAlive(after)).toBe(true);
  });
});

describe('a worker that was stopped on purpose', () => {
  it('is not started again by those who used it, and is by a later command', async () => {
    const identity = await orphan('worker', VERSION);
    const record = {
      ...identity,
      users: [],
      detached: false,
      build: VERSION,
      address,
      queue: 'kubewright',
      embedded: true,
    };
    await writeFile(join(stateDir, 'worker.json'), JSON.stringify(record));
    const worker = await ensureWorker(engineOf(), { program: '/none' });
    expect(await stopWorkers(stateDir, (one) => one.embedded)).toBe(1);
    expect(await worker.revive()).toBe(false);
    expect(await worker.leave()).toBe('stopped');
    expect(await worker.revive()).toBe(false);
    await expect(ensureWorker(engineOf(), { program: '/none' })).rejects.toMatchObject({ code: 'KW514' });
  });

  it('is not started either while the server is being stopped', async () => {
    const stopping = { revive: () => Promise.reject(new Error('the server is being stopped')) };
    const asked = ensureWorker(engineOf({ server: stopping }), { program: '/none' });
    await expect(asked).rejects.toThrow('the server is being stopped');
  });
});
