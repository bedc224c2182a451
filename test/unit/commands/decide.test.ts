import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DecisionOutcome, RunSnapshot } from '../../../src/engine/index.js';
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
    expect(code).toBe(2);
    expect(stderr).toContain('error KW525: There are installs of 2 clusters\n  Name one: demo, prod.');
    expect((await run(engine, 'retry', '--cluster', 'prod')).code).toBe(0);
  });

  it('says what brings a worker when none answered', async () => {
    const engine = new ScriptedEngine([]);
    engine.outcome = {
      runId: 'run-1',
      via: 'signal',
      message: 'No worker answers: retry is kept and will be taken when one runs.',
    };
    const { code, stdout, stderr } = await run(engine, 'retry');
    expect(code).toBe(0);
    expect(stdout).toContain('retry is kept');
    expect(stderr).toContain('`kubewright install cluster.yaml` brings a worker');
  });

  it('means the one cluster whose install runs, whatever else there has been', async () => {
    const engine = new ScriptedEngine([]);
    engine.listings = [
      { cluster: 'nightly', status: 'completed' },
      { cluster: 'demo', status: 'running' },
    ];
    expect((await run(engine, 'retry')).code).toBe(0);
    expect(engine.calls[0]).toBe('retry demo {}');
  });

  it('does not send for a worker where one runs and fails', async () => {
    const engine = new ScriptedEngine([]);
    engine.outcome = {
      runId: 'run-1',
      via: 'signal',
      message: 'The workers fail at this run (x): retry is kept.',
      failing: 'x',
    };
    const { stdout, stderr } = await run(engine, 'retry');
    expect(stdout).toContain('The workers fail at this run');
    expect(stderr).not.toContain('brings a worker');
  });
});

describe('abort', () => {
  const aborting: DecisionOutcome = {
    runId: 'run-1',
    via: 'update',
    steps: [],
    message: 'Aborting: what runs on the hosts is being stopped.',
  };
  const scripted = (...moments: RunSnapshot[]) =>
    Object.assign(new ScriptedEngine(moments), { outcome: aborting, runningOn: 'kubewright/cluster/demo' });

  it('brings a worker, and stays until the run is over', async () => {
    const failure = { code: 'KW810', message: 'aborted by anna@bastion: wrong network.', hint: '' };
    const ended = moment(blocked(), { status: 'failed', closedAt: at(120), failure });
    const engine = scripted(moment(blocked()), ended);
    const { code, stdout } = await run(engine, 'abort', '--reason', 'wrong network');
    expect(code).toBe(0);
    expect(stdout).toBe(`demo: ${aborting.message}\ndemo: aborted by anna@bastion: wrong network.\n`);
    expect(engine.calls).toEqual([
      'worker on kubewright/cluster/demo',
      'abort demo {"reason":"wrong network"}',
      'leave worker',
      'close engine',
    ]);
  });

  it('asks for as long as it waits that the worker it brought gets a run whose own workers are gone', async () => {
    const ended = moment(blocked(), { status: 'failed', closedAt: at(120) });
    const engine = scripted(moment(blocked()), moment(blocked()), ended);
    engine.outcome = {
      runId: 'run-7',
      via: 'signal',
      message: 'No worker answers: abort is kept and will be taken when one runs.',
    };
    expect((await run(engine, 'abort')).code).toBe(0);
    expect(engine.calls.filter((call) => call === 'hand over run-7 of demo')).toHaveLength(2);
  });

  it('says at once what was answered, ends with Ctrl-C, and names the way out', async () => {
    const engine = scripted(moment(blocked()));
    const running = run(engine, 'abort');
    await vi.waitFor(() => expect(engine.calls).toContain('waiting'));
    process.emit('SIGINT');
    const { code, stdout, stderr } = await running;
    expect(code).toBe(130);
    expect(stdout).toBe(`demo: ${aborting.message}\n`);
    expect(stderr).toContain('demo has not ended yet. The abort is kept.');
    expect(stderr).toContain('kubewright abort --force --cluster demo');
    expect(engine.calls.slice(-2)).toEqual(['leave worker', 'close engine']);
  });

  it('waits a minute at most', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const engine = scripted(moment(blocked()));
    const running = run(engine, 'abort');
    await vi.waitFor(() => expect(engine.calls).toContain('waiting'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await running).code).toBe(4);
  });

  it('does not wait for a run at which the workers fail, and says why', async () => {
    const engine = scripted(moment(blocked()));
    engine.outcome = { runId: 'run-1', via: 'signal', message: 'kept', failing: 'another version' };
    const { code, stderr } = await run(engine, 'abort');
    expect(code).toBe(4);
    expect(stderr).toContain('demo has not ended yet: its workers fail (another version).');
  });

  it('--force ends it without asking anybody', async () => {
    const engine = scripted(moment(blocked()));
    const { code, stdout } = await run(engine, 'abort', '--force', '--reason', 'stuck');
    expect(code).toBe(0);
    expect(engine.calls).toEqual(['end demo stuck', 'close engine']);
    expect(stdout).toContain('What it started on the hosts runs on there.');
  });

  it('of one step is refused: it would end everything', async () => {
    const engine = scripted(moment(blocked()));
    const { code, stderr } = await run(engine, 'abort', 'w-1/join');
    expect(code).toBe(2);
    expect(stderr).toContain("kubewright skip w-1/join --reason '…'");
    expect(engine.calls).toEqual([]);
  });
});
