import { describe, expect, it, vi } from 'vitest';
import { at, blocked } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { runCommand } from './run.js';

// Should a command reach for a real server all the same, it fails instead of deciding something.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

async function run(engine: ScriptedEngine, ...argv: string[]) {
  vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
  return await runCommand(argv, { env });
}

describe('deciding', () => {
  it('retries the one cluster there is, and says what the workflow answered', async () => {
    const engine = new ScriptedEngine([]);
    const { code, stdout } = await run(engine, 'retry', 'cp-2/join', '--reason', 'port freed');
    expect(code).toBe(0);
    expect(stdout).toBe('demo: retrying cp-2/join\n');
    expect(engine.calls).toEqual(['retry demo {"step":"cp-2/join","reason":"port freed"}', 'close engine']);
  });

  it('asks for the name when there are several clusters', async () => {
    const engine = new ScriptedEngine([]);
    engine.clusters = ['demo', 'prod'];
    const { code, stderr } = await run(engine, 'retry');
    expect(code).toBe(1);
    expect(stderr).toContain('error KW525: There are installs of 2 clusters\n  Name one: demo, prod.');
    expect((await run(engine, 'retry', '--cluster', 'prod')).code).toBe(0);
  });

  it('says what brings a worker when none answered', async () => {
    const engine = new ScriptedEngine([]);
    engine.outcome = { via: 'signal', message: 'No worker answers: retry is kept and will be taken when one runs.' };
    const { code, stdout, stderr } = await run(engine, 'retry');
    expect(code).toBe(0);
    expect(stdout).toContain('retry is kept');
    expect(stderr).toContain('`kubewright install cluster.yaml` brings a worker');
  });

  it('brings a worker to abort, and stays until the run is over', async () => {
    const ended = moment(blocked(), { status: 'failed', closedAt: at(120) });
    const engine = new ScriptedEngine([moment(blocked()), ended]);
    const { code } = await run(engine, 'abort', '--reason', 'wrong network');
    expect(code).toBe(0);
    expect(engine.calls).toEqual(['worker', 'abort demo {"reason":"wrong network"}', 'leave worker', 'close engine']);
  });
});
