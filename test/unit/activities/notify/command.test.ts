import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SENDERS } from '../../../../src/activities/notify/senders.js';
import { tellChannel } from '../../../../src/activities/notify/tellChannel.js';
import { clusterWith, NEWS } from './news.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewright-command-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const PATH = process.env.PATH ?? '';

/** A real program: these lines of bash. */
async function program(name: string, ...lines: string[]): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, `#!/usr/bin/env bash\n${lines.join('\n')}\n`, { mode: 0o755 });
  return file;
}

function tell(command: string[], limitMs = 10_000, env: Record<string, string> = { PATH }) {
  const senders = { ...SENDERS, limitsMs: { ...SENDERS.limitsMs, command: limitMs } };
  const around = { senders, lookUp: (name: string) => env[name], signal: new AbortController().signal };
  return tellChannel(clusterWith({ command }), { channel: 'command', news: NEWS }, around);
}

const untold = (message: RegExp) => ({ code: 'KW686', message: expect.stringMatching(message), transient: false });

/** Whether a process is there, and runs: one that has ended may stay for a moment in the table. */
function lives(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return /^[^Z]/.test(stdout.trim());
}

describe('a command', () => {
  it('gets its arguments as they are written and the JSON as its input', async () => {
    const out = join(directory, 'out');
    const file = await program('write', `{ printf '%s\\n' "$@"; cat; } >${out}`);
    expect(await tell([file, '--who', 'on call; $(id)'])).toEqual({});
    const [first, second, json] = (await readFile(out, 'utf8')).split('\n');
    expect([first, second]).toEqual(['--who', 'on call; $(id)']);
    expect(JSON.parse(json ?? '')).toMatchObject({ cluster: 'demo', verdict: 'degraded', id: 'demo-run-1' });
  });

  it('gets nothing of the secrets in the environment of the worker', async () => {
    const out = join(directory, 'env');
    const file = await program('env', `env >${out}`);
    // In that of this process, and where the worker looks secrets up.
    vi.stubEnv('SUDO_PASSWORD', 's3cret');
    await tell([file], 10_000, { PATH, HOME: '/home/ada', SUDO_PASSWORD: 's3cret' });
    vi.unstubAllEnvs();
    const names = (await readFile(out, 'utf8')).split('\n').map((line) => line.split('=')[0]);
    expect(names).toEqual(expect.arrayContaining(['PATH', 'HOME']));
    expect(names).not.toContain('SUDO_PASSWORD');
  });

  it('that fails is told with its exit code and what it says, and does not run twice', async () => {
    const file = await program('fail', 'echo "no pager" >&2', 'exit 3');
    await expect(tell([file])).rejects.toMatchObject(untold(/fail ended with exit code 3 \(no pager\)$/));
  });

  it('that is not there, or cannot be run, is told by its path', async () => {
    await expect(tell(['/no/such/program'])).rejects.toMatchObject(
      untold(/^\/no\/such\/program cannot be started: .*ENOENT/),
    );
    await writeFile(join(directory, 'plain'), 'x');
    await expect(tell([join(directory, 'plain')])).rejects.toMatchObject(untold(/cannot be started: .*EACCES/));
  });

  it('that hangs is ended after its limit, with all that it has started', async () => {
    const pids = join(directory, 'pids');
    const file = await program('hang', 'sleep 600 &', `echo $$ $! >${pids}`, 'wait');
    await expect(tell([file], 1_000)).rejects.toMatchObject(untold(/hang did not end in time, and was ended$/));
    const all = (await readFile(pids, 'utf8')).trim().split(' ').map(Number);
    expect(all).toHaveLength(2);
    await expect.poll(() => all.filter(lives)).toEqual([]);
  });

  it('that does not read its input, or leaves something in the background, is done when it ends', async () => {
    const pid = join(directory, 'left');
    const file = await program('leave', 'exec <&-', 'sleep 600 &', `echo $! >${pid}`);
    expect(await tell([file])).toEqual({});
    const left = Number(await readFile(pid, 'utf8'));
    expect(lives(left)).toBe(true);
    process.kill(left);
  });
});
