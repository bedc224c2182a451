import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { findProcesses, hasOpen } from '../../../src/engine/processes/find.js';
import { identityOf, isAlive, ownIdentity } from '../../../src/engine/processes/identity.js';
import { livingUsers, newUser, type SharedProcess, SharedRecord } from '../../../src/engine/processes/shared-record.js';
import { terminate } from '../../../src/engine/processes/terminate.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-record-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function sleeper(script = 'sleep 60'): Promise<number> {
  const child = spawn('sh', ['-c', `${script} # ${directory}`], { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  onTestFinished(() => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // The test ended it.
    }
  });
  return pid;
}

describe('a process’s identity', () => {
  it('tells a process from a later one with its pid', async () => {
    const self = await ownIdentity();
    expect(await isAlive(self)).toBe(true);
    expect(await isAlive({ ...self, startTime: 'before' })).toBe(false);
    expect(await identityOf(2 ** 22 + 1)).toBeUndefined();
  });

  it('is gone with the process, also while nobody has reaped it', async () => {
    const identity = await identityOf(await sleeper());
    if (identity === undefined) throw new Error('the sleeper does not run');
    process.kill(-identity.pid, 'SIGKILL');
    await expect.poll(() => isAlive(identity)).toBe(false);
  });
});

describe('finding processes', () => {
  it('goes by exact arguments', async () => {
    const pid = await sleeper();
    const found = await findProcesses((argv) => argv.some((argument) => argument.endsWith(`# ${directory}`)));
    expect(found.map((process) => process.pid)).toContain(pid);
  });

  it('tells whether a process holds a file, and not one that was deleted under it', async () => {
    const path = join(directory, 'held');
    await writeFile(path, '');
    const pid = await sleeper(`exec 3<'${path}'; sleep 60`);
    await expect.poll(() => hasOpen(pid, path)).toBe(true);
    await rm(path);
    expect(await hasOpen(pid, path)).toBe(false);
  });
});

describe('terminating a process group', () => {
  it('asks first, then ends what does not listen, children included', async () => {
    const pid = await sleeper("trap '' TERM; while :; do sleep 1; done");
    const identity = await identityOf(pid);
    if (identity === undefined) throw new Error('the sleeper does not run');
    await terminate(identity, 200);
    expect(await isAlive(identity)).toBe(false);
  });

  it('leaves another process alone that has the pid now', async () => {
    const pid = await sleeper();
    await terminate({ pid, startTime: 'before' }, 1_000);
    expect(await identityOf(pid)).toBeDefined();
  });
});

describe('a shared record', () => {
  it('is changed by one at a time, and only its owner can read it', async () => {
    const record = new SharedRecord<SharedProcess & { count: number }>(directory, 'thing.json');
    const add = () =>
      record.update(async (before) => {
        const base = before ?? { pid: 1, startTime: '', users: [], detached: false, count: 0 };
        await new Promise((resolve) => setImmediate(resolve));
        return { record: { ...base, count: base.count + 1 }, result: undefined };
      });
    await Promise.all(Array.from({ length: 8 }, add));
    expect((await record.read())?.count).toBe(8);
    expect((await stat(join(directory, 'thing.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['thing.json']);
  });

  it('is removed when nothing is left to say, and kept when the change fails', async () => {
    const record = new SharedRecord<SharedProcess>(directory, 'thing.json');
    const some = { pid: 1, startTime: '', users: [], detached: false };
    await record.update(async () => ({ record: some, result: undefined }));
    const failing = record.update(async () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(JSON.parse(await readFile(join(directory, 'thing.json'), 'utf8'))).toEqual(some);
    await record.update(async () => ({ record: undefined, result: undefined }));
    expect(await record.read()).toBeUndefined();
  });

  it('counts the uses of one program one by one, and not those of a dead one', async () => {
    const [first, second] = [await newUser(), await newUser()];
    expect(first.use).not.toBe(second.use);
    const dead = { ...first, use: 'x', startTime: 'before' };
    expect(await livingUsers([first, dead, second])).toEqual([first, second]);
  });
});
