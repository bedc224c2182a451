import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runDurable, stopDurables } from '../../../src/hosts/durable/durable.js';
import { attendScript } from '../../../src/hosts/durable/host-scripts.js';
import { unitName } from '../../../src/hosts/durable/names.js';
import { LIBRARY } from '../../../src/hosts/durable/state-script.js';
import type { DurableCommand } from '../../../src/hosts/types.js';
import { FakeSystemd } from './fake-systemd.js';

/** The scripts for the host, in a real bash, with a systemd that can be told to misbehave. */
let host: FakeSystemd;

beforeEach(async () => {
  host = await FakeSystemd.create();
});
afterEach(() => host.remove());

const ID = 'test:one';

/** Notes each time that it begins; goes on when the file `go` is there. */
function command(script: string, more: Partial<DurableCommand> = {}): DurableCommand {
  const wait = `until [ -e ${host.root}/go ]; do sleep 0.02; done`;
  return { id: ID, script: `echo began >>${host.root}/marks\n${wait}\n${script}`, timeoutSeconds: 60, ...more };
}
const begun = async (): Promise<number> => (await host.text('marks')).split('\n').filter(Boolean).length;
const go = (): Promise<void> => writeFile(host.path('go'), '');
const hasEnded = () => vi.waitFor(() => stat(`${host.runDirectory(ID)}/end`), { timeout: 20_000 });

/** Starts a command whose client is lost as soon as it runs. */
async function startAndLose(what: DurableCommand): Promise<void> {
  const lost = runDurable(host.durable, what).catch((error: unknown) => error);
  await vi.waitFor(async () => expect(await begun()).toBeGreaterThan(0), { timeout: 20_000 });
  await host.breakConnections();
  await lost;
}

describe('a result that nobody got', () => {
  test('answers the attempt that began it, failure or not', async () => {
    const failing = command('exit 7', { attempt: 'run-1/1' });
    await startAndLose(failing);
    await go();
    await hasEnded();
    expect(await runDurable(host.durable, failing)).toMatchObject({ exitCode: 7, reattached: true });
    expect(await begun()).toBe(1);
  });

  test('is no first try of another day when it is a failure: the command runs again', async () => {
    const failing = command(`exit $(( $(wc -l <${host.root}/marks) + 10 ))`, { attempt: 'run-1/1' });
    await startAndLose(failing);
    await go();
    await hasEnded();
    const today = await runDurable(host.durable, { ...failing, attempt: 'run-2/1' });
    expect(today).toMatchObject({ exitCode: 12, reattached: false });
  });

  test('is found by whoever comes next when it is a success, also with another fence before it', async () => {
    const good = command('echo all done', { attempt: 'run-1/1', guard: 'echo fence 1\n' });
    await startAndLose(good);
    await go();
    await hasEnded();
    const next = await runDurable(host.durable, { ...good, attempt: 'run-2/1', guard: 'exit 93\n' });
    expect(next).toMatchObject({ exitCode: 0, reattached: true, output: 'fence 1\nall done\n' });
    expect(await begun()).toBe(1);
  });
});

test('what runs before the script stops it when it says so', async () => {
  await go();
  const fenced = command('echo never', { guard: "echo 'taken over'\nexit 93\n" });
  expect(await runDurable(host.durable, fenced)).toMatchObject({ exitCode: 93, output: 'taken over\n' });
  expect(await begun()).toBe(0);
});

describe('a running command, while systemd is updated', () => {
  test.each(['deaf', 'forgetful'] as const)('is followed, its secrets untouched, when systemd is %s', async (how) => {
    const secret = command('cat $KUBEWRIGHT_SECRETS/token', {
      guard: 'echo hello\n',
      secrets: async () => ({ token: 'a-token-to-see' }),
    });
    await startAndLose(secret);
    await host.answer(how, 1000);
    const lines: string[] = [];
    const following = runDurable(host.durable, { ...secret, onOutput: (line) => lines.push(line) });
    // Found by its process, although systemd never says so.
    await vi.waitFor(() => expect(lines).toEqual(['hello']), { timeout: 15_000 });
    expect(await readdir(host.secretsDirectory(ID))).toEqual(['token']);
    await host.answer(how, 0);
    await go();
    expect(await following).toMatchObject({ exitCode: 0, reattached: true });
    expect(await begun()).toBe(1);
  });

  test('whose process cannot be seen is neither lost nor begun again: KW412, and nothing is taken away', async () => {
    const secret = command('true', { secrets: async () => ({ token: 'a-token-to-see' }) });
    await startAndLose(secret);
    await rm(`${host.runDirectory(ID)}/pid`);
    await host.answer('deaf', 6);
    await expect(runDurable(host.durable, secret)).rejects.toMatchObject({ code: 'KW412', transient: true });
    expect(await readdir(host.secretsDirectory(ID))).toEqual(['token']);
    // Two answers that are wrong are not enough either.
    await host.answer('forgetful', 2);
    const following = runDurable(host.durable, secret);
    await vi.waitFor(async () => expect(await host.text('forgetful')).toBe('0\n'), { timeout: 15_000 });
    await go();
    expect(await following).toMatchObject({ exitCode: 0, reattached: true });
    expect(await begun()).toBe(1);
  });

  test('is stopped, or else it is said that this cannot be told', async () => {
    await startAndLose(command('true'));
    await rm(`${host.runDirectory(ID)}/pid`);
    await host.answer('deaf', 6);
    await expect(stopDurables(host.durable, { id: ID })).rejects.toMatchObject({ code: 'KW412', transient: true });
    await writeFile(host.path('disobedient'), '');
    await expect(stopDurables(host.durable, { prefix: 'test:' })).rejects.toMatchObject({ code: 'KW412' });
    await rm(host.path('disobedient'));
    expect(await stopDurables(host.durable, { prefix: 'test:' })).toBe(1);
    expect(await stopDurables(host.durable, { id: ID })).toBe(0);
  });
});

test('a command that is gone without a result is lost once, then it can begin again', async () => {
  await writeFile(host.path('no-end'), '');
  const durable = command('true');
  await startAndLose(durable);
  await go();
  await vi.waitFor(async () => expect(await readdir(host.path('state'))).toEqual([]), { timeout: 20_000 });
  await expect(runDurable(host.durable, durable)).rejects.toMatchObject({ code: 'KW425', transient: true });
  await rm(host.path('no-end'));
  expect(await runDurable(host.durable, durable)).toMatchObject({ exitCode: 0, reattached: false });
});

test('a sender that falls silent in the middle of its command keeps nobody out', async () => {
  await go();
  const parameters = { unit: unitName(ID), id: ID, hash: 'h', attempt: '', seconds: 5 };
  const silent = await host.spawn(attendScript(parameters, { mode: 'start', payload: 5000 }));
  silent.stdin?.write('100 command.sh\nhalf a comm');
  await vi.waitFor(() => stat(host.path('run/kubewright')), { timeout: 20_000 });
  expect(await runDurable(host.durable, command('echo fine'))).toMatchObject({ output: 'fine\n' });
  // Nothing of what came has a name: whatever ends its script, nothing of it stays.
  expect(await readdir(host.path('run/kubewright'))).toEqual(['host.lock']);
});

test('the record of the run that is on is kept, whatever the clock said when it began', async () => {
  const unit = host.path('var/lib/kubewright/units/x');
  const runs = ['20260101T000000.1', ...[1, 2, 3, 4, 5, 6].map((n) => `20991231T000000.${n}`)];
  for (const run of runs) await mkdir(`${unit}/runs/${run}`, { recursive: true });
  await symlink(`runs/${runs[0]}`, `${unit}/current`);
  const script = host.localised(`unit=x\n${LIBRARY}\narchive runs/20991231T000000.6\n`);
  await promisify(execFile)('bash', ['--norc', '-c', script]);
  const kept = (await readdir(`${unit}/runs`)).sort();
  expect(kept).toEqual([runs[0], ...runs.slice(-5)]);
  await expect(readFile(`${unit}/current/start`)).rejects.toMatchObject({ code: 'ENOENT' });
});
