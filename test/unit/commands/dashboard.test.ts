import { describe, expect, it, vi } from 'vitest';
import type { DashboardOptions } from '../../../src/dashboard/server.js';
import { blocked } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { runCommand } from './run.js';

// Should the command reach for a real server all the same, it fails instead of deciding something.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
const ADDRESS = 'http://127.0.0.1:8300/#token=abc';

/** Runs the command with a fake of the page's server, does something on the page, and ends it by Ctrl-C. */
async function run(engine: ScriptedEngine, onPage: (options: DashboardOptions) => Promise<void>, ...argv: string[]) {
  const calls: string[] = [];
  vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
  vi.doMock('../../../src/dashboard/server.js', () => ({
    serveDashboard: async (options: DashboardOptions) => {
      calls.push(`serve at ${options.port}`);
      await onPage(options);
      setImmediate(() => process.emit('SIGINT'));
      return { port: 8300, address: ADDRESS, topics: () => [], close: async () => void calls.push('close page') };
    },
  }));
  return { ...(await runCommand(['dashboard', ...argv], { env })), calls };
}

describe('dashboard', () => {
  it('prints its address and serves until Ctrl-C, which is its end and no failure', async () => {
    const engine = new ScriptedEngine([]);
    const { code, stdout, calls } = await run(engine, async () => {}, '--port', '8300');
    expect(code).toBe(0);
    expect(stdout).toBe(`${ADDRESS}\n`);
    expect(calls).toEqual(['serve at 8300', 'close page']);
    expect(engine.calls).toEqual(['close engine']);
  });

  it('tells programs its address', async () => {
    const { objects, calls } = await run(new ScriptedEngine([]), async () => {}, '--json');
    expect(calls[0]).toBe('serve at 0');
    expect(objects).toMatchObject([
      { type: 'dashboard', address: ADDRESS },
      { type: 'end', exitCode: 0 },
    ]);
  });

  it('decides as retry, skip and abort do, and says how a retry goes on that no worker has taken', async () => {
    const engine = new ScriptedEngine([moment(blocked(), { status: 'terminated' })]);
    engine.runningOn = 'demo-queue';
    engine.outcome = { runId: 'run-1', via: 'signal', message: 'retry is kept.' };
    const answers: string[] = [];
    await run(engine, async ({ decide }) => {
      const act = async (decision: Parameters<typeof decide>[1]) =>
        answers.push((await decide('demo', decision)).message);
      await act({ verb: 'retry', step: 'cp-2/join', blocking: 3 });
      await act({ verb: 'skip', step: 'w-1/join', blocking: 4, reason: 'gone' });
      await act({ verb: 'abort', reason: 'enough' });
    });
    expect(answers[0]).toBe('retry is kept. `kubewright install cluster.yaml` brings a worker and goes on.');
    expect(answers[2]).toBe('retry is kept.');
    expect(engine.calls.slice(0, 4)).toEqual([
      'retry demo {"step":"cp-2/join","blocking":3}',
      'skip demo {"step":"w-1/join","blocking":4,"reason":"gone"}',
      'worker on demo-queue',
      'abort demo {"reason":"enough"}',
    ]);
  });

  it.each(['x', '-1', '65536', '1.5'])('refuses port %s', async (port) => {
    const { code, stderr } = await runCommand(['dashboard', `--port=${port}`], { env });
    expect(code).toBe(2);
    expect(stderr).toContain('from 1 to 65535');
  });
});
