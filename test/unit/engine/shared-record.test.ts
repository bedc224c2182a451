import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { findProcesses, hasOpen } from '../../../src/engine/processes/find.js';
import { identityOf, isAlive, ownIdentity } from '../../../src/engine/processes/identity.js';
import { rotateLog } from '../../../src/engine/processes/logs.js';
import { thisMachine } from '../../../src/engine/processes/machine.js';
import { requireProcesses } from '../../../src/engine/processes/platform.js';
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

describe('two records of one directory', () => {
  it('are locked apart, in one process too: the one that is held is let go of when the other was', async () => {
    const [first, second] = ['a.json', 'b.json'].map((name) => new SharedRecord<SharedProcess>(directory, name));
    await first?.update(async (record) => {
      await second?.update(async (other) => ({ record: other, result: undefined }));
      expect(await readdir(directory)).toEqual(['a.json.lock']);
      return { record, result: undefined };
    });
    expect(await readdir(directory)).toEqual([]);
  });
});

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
    expect(JSON.parse(await readFile(join(directory, 'thing.json'), 'utf8'))).toMatchObject(some);
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

describe('a state directory that machines share', () => {
  async function recordOf(machine: object, freshMs?: number) {
    const record = { ...(await ownIdentity()), users: [], detached: true, machine };
    await writeFile(join(directory, 'thing.json'), JSON.stringify(record));
    return new SharedRecord<SharedProcess>(directory, 'thing.json', freshMs);
  }

  it('is refused while the other machine holds it, with the way out, and changes nothing', async () => {
    const record = await recordOf({ hostname: 'desk-7', id: 'other', boot: 'other' });
    const refused = {
      code: 'KW550',
      message: expect.stringContaining('desk-7'),
      hint: expect.stringContaining('KUBEWRIGHT_STATE'),
    };
    await expect(record.read()).rejects.toMatchObject(refused);
    await expect(record.update(async () => ({ record: undefined, result: 1 }))).rejects.toMatchObject(refused);
    expect(await readdir(directory)).toEqual(['thing.json']);
  });

  it('is free when the other machine has not said for long that it runs there', async () => {
    const record = await recordOf({ hostname: 'desk-7', id: 'other', boot: 'other' }, 0);
    expect((await record.read())?.machine?.hostname).toBe('desk-7');
  });

  it('is its own after a reboot, and what ran before is not taken for what has its pid now', async () => {
    const here = await thisMachine();
    const record = await recordOf({ ...here, boot: 'the boot before' });
    const before = await record.read();
    expect(before).toBeDefined();
    const self = await ownIdentity();
    const [ticks] = self.startTime.split('@');
    expect(await isAlive({ ...self, startTime: `${ticks}@the boot before` })).toBe(false);
  });
});

describe('a log', () => {
  it('is bounded, with one older one kept, while somebody appends to it', async () => {
    const log = join(directory, 'some.log');
    const writer = await open(log, 'a', 0o600);
    onTestFinished(() => writer.close());
    await writer.write('old\n');
    expect(await rotateLog(log, 100)).toBe(false);
    await writer.write(`${'x'.repeat(200)}\n`);
    expect(await rotateLog(log, 100)).toBe(true);
    await writer.write('new\n');
    expect(await readFile(log, 'utf8')).toBe('new\n');
    expect(await readFile(`${log}.1`, 'utf8')).toMatch(/^old\nx+\n$/);
    expect((await stat(`${log}.1`)).mode & 0o777).toBe(0o600);
    await writer.write('y'.repeat(200));
    await rotateLog(log, 100);
    expect((await readdir(directory)).sort()).toEqual(['some.log', 'some.log.1']);
  });
});

describe('a system without process groups', () => {
  it('is refused with what works there', () => {
    expect(() => requireProcesses('win32')).toThrow(
      expect.objectContaining({ code: 'KW519', hint: expect.stringContaining('--address') }),
    );
    requireProcesses('darwin');
  });
});
