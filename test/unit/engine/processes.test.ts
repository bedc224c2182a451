import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { identityOf, isAlive } from '../../../src/engine/processes/identity.js';
import { freePort, LOOPBACK } from '../../../src/engine/server/ports.js';
import { notRunHere } from '../not-run.js';

/** Ends the main thread alone (exit(2), not exit_group(2)); the other one lives until it is told to end. */
const HALF_GONE = `
  threads->create(sub { <STDIN> });
  syscall(${process.arch === 'arm64' ? 93 : 60}, 0);
`;

describe('a process whose main thread has ended', () => {
  it('is alive until its last thread has ended, for that one still holds its ports and files', async (context) => {
    if (process.platform !== 'linux') notRunHere(context, 'threads of a process are looked at on Linux alone');
    const child = spawn('perl', ['-Mthreads', '-e', HALF_GONE], { stdio: ['pipe', 'ignore', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const pid = child.pid ?? 0;
    const identity = await identityOf(pid);
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2]).toBe('Z');
    if (identity === undefined) throw new Error('perl did not start');
    expect(await isAlive(identity)).toBe(true);
    const gone = once(child, 'exit');
    child.stdin.end('\n');
    await gone;
    expect(await isAlive(identity)).toBe(false);
  });
});

describe('a port that is preferred', () => {
  /** Holds a free loopback port. */
  async function held(): Promise<{ port: number; release: () => void }> {
    const port = await freePort();
    const holder = createServer().listen({ host: LOOPBACK, port });
    onTestFinished(() => void holder.close());
    await once(holder, 'listening');
    return { port, release: () => void holder.close() };
  }

  it('is waited for while what held it ends', async () => {
    const { port, release } = await held();
    const found = freePort(port);
    setTimeout(release, 300);
    expect(await found).toBe(port);
  });

  it('is given up for another one when it stays taken', async () => {
    const { port } = await held();
    expect(await freePort(port)).not.toBe(port);
  });
});
