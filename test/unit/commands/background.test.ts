import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { identityOf, isAlive } from '../../../src/engine/processes/identity.js';
import { runCommand } from './run.js';

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kubewright-background-'));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const run = (...argv: string[]) =>
  runCommand([...argv, '--state-dir', stateDir], { env: { HOME: stateDir, KUBEWRIGHT_EMBEDDED: '1' } });

/** A process with a worker's record. */
async function worker(name: string, fields: object) {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  onTestFinished(() => void child.kill('SIGKILL'));
  const identity = await identityOf(child.pid ?? 0);
  if (identity === undefined) throw new Error('it does not run');
  const where = { address: '127.0.0.1:7233', namespace: 'default', queue: `q-${name}`, embedded: true, log: 'x.log' };
  const record = { ...identity, users: [], detached: true, build: '0.1.0', environment: { variables: {} }, ...where };
  await writeFile(join(stateDir, `${name}.json`), JSON.stringify({ ...record, ...fields }));
  return identity;
}

describe('what runs in the background', () => {
  it('is shown and stopped, all workers of the embedded server and no other’s', async () => {
    const own = [await worker('worker-a', {}), await worker('worker-b', {})];
    const elsewhere = await worker('worker.1a2b3c4d', { address: 'team:7233', embedded: false });
    const shown = (await run('worker', 'status')).stdout;
    for (const { pid } of own) expect(shown).toContain(`pid ${pid}`);
    expect(shown).not.toContain(`pid ${elsewhere.pid}`);
    const { stdout } = await run('server', 'stop');
    expect(stdout).toBe('2 background workers drained and stopped.\nNo embedded server was running.\n');
    for (const one of own) expect(await isAlive(one)).toBe(false);
    expect(await isAlive(elsewhere)).toBe(true);
    expect((await run('worker', 'stop')).stdout).toBe('No background worker was running.\n');
  });

  it('is told to programs', async () => {
    await worker('worker-a', {});
    expect((await run('worker', 'status', '--json')).objects).toMatchObject([
      { type: 'worker', running: true, queue: 'q-worker-a' },
      { type: 'end', exitCode: 0 },
    ]);
    expect((await run('server', 'stop', '--json')).objects).toMatchObject([
      { type: 'server', running: false, stopped: false, workers: 1 },
      { type: 'end', exitCode: 0 },
    ]);
    expect((await run('worker', 'status', '--json')).objects).toMatchObject([
      { type: 'worker', running: false },
      { type: 'end', exitCode: 0 },
    ]);
  });
});
