import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ownIdentity } from '../../../src/engine/processes/identity.js';
import { newUser } from '../../../src/engine/processes/shared-record.js';
import { workerRecords } from '../../../src/engine/worker/record.js';
import { untilUnused } from '../../../src/engine/worker/unused.js';

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kubewright-unused-'));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

/** This process is the worker. What it does is written down. */
async function watch(fields: object, openRuns: () => Promise<number>, idleMs = 0) {
  const records = workerRecords(stateDir, 'worker-demo');
  const log = join(stateDir, 'worker.log');
  const record = { ...(await ownIdentity()), users: [], detached: false, log, ...fields };
  await writeFile(join(stateDir, 'worker-demo.json'), JSON.stringify(record));
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  let left = false;
  let looks = 0;
  const counted = async () => {
    looks += 1;
    return openRuns();
  };
  const ended = untilUnused({ records, openRuns: counted, lookMs: 10, idleMs, signal: stopping.signal }).then(() => {
    left = !stopping.signal.aborted;
  });
  return { records, ended, left: () => left, looks: () => looks };
}

describe('a background worker', () => {
  it('leaves when its users were killed, and its record with it', async () => {
    const dead = { ...(await newUser()), startTime: 'killed' };
    const { ended, records, left } = await watch({ users: [dead] }, async () => 1);
    await ended;
    expect(left()).toBe(true);
    expect(await records.read()).toBeUndefined();
  });

  it('stays while one of them lives', async () => {
    const { ended, records, left } = await watch({ users: [await newUser()] }, async () => 0);
    await expect.poll(async () => (await records.read())?.users).toHaveLength(1);
    expect(left()).toBe(false);
    await records.update(async (record) => ({ record: record && { ...record, users: [] }, result: undefined }));
    await ended;
    expect(left()).toBe(true);
  });

  it('stays for a while when it was detached and its install has ended: a Reset may take that up again', async () => {
    const { looks, left } = await watch({ detached: true }, async () => 0, 3_600_000);
    await expect.poll(looks).toBeGreaterThan(2);
    expect(left()).toBe(false);
  });

  it('stays when it was detached, until no install is left on its queue', async () => {
    let open = 1;
    const { ended, looks, left } = await watch({ detached: true }, async () => open);
    await expect.poll(looks).toBeGreaterThan(2);
    expect(left()).toBe(false);
    open = 0;
    await ended;
  });

  it('stays when the server does not say whether an install is left', async () => {
    const { looks, left } = await watch({ detached: true }, () => Promise.reject(new Error('no answer')));
    await expect.poll(looks).toBeGreaterThan(2);
    expect(left()).toBe(false);
  });

  it('leaves when another one has taken its place, and leaves that one’s record alone', async () => {
    const { ended, records } = await watch({ users: [await newUser()] }, async () => 1);
    await records.update(async (record) => ({ record: record && { ...record, pid: 1 }, result: undefined }));
    await ended;
    expect((await records.read())?.pid).toBe(1);
  });
});
