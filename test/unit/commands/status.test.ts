import { describe, expect, it, vi } from 'vitest';
import { BUILD } from '../../../src/build.js';
import type { RunListing, RunSnapshot } from '../../../src/engine/index.js';
import { KubewrightError } from '../../../src/errors.js';
import { blocked, done, fault, preparing } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { runCommand } from './run.js';

// Should the command reach for a real server all the same, it fails instead of showing something.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

async function status(engine: ScriptedEngine, ...options: string[]) {
  vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
  return await runCommand(['status', ...options], { env });
}

const listing = (cluster: string, rest: Partial<RunListing>) => ({
  cluster,
  status: 'running' as const,
  blocked: [],
  startedAt: 0,
  state: 'running',
  ...rest,
});

const WITHOUT_ONE = { cluster: 'demo', changed: 7, unchanged: 0, skipped: ['w-1/join'], unreachable: ['w-1'] };

describe('status', () => {
  const cases: [string, RunSnapshot, number][] = [
    ['installed', moment(done(), { status: 'completed' }), 0],
    ['installed but for a host that never answered', moment(done(), { status: 'completed', result: WITHOUT_ONE }), 5],
    ['aborted', moment(blocked(), { status: 'failed' }), 1],
    ['blocked', moment(blocked()), 3],
    ['at work', moment(preparing()), 4],
  ];

  it.each(cases)('says with its exit code how it stands when it is asked for: %s', async (_name, snapshot, code) => {
    expect((await status(new ScriptedEngine([snapshot]), 'demo', '--exit-code')).code).toBe(code);
    expect((await status(new ScriptedEngine([snapshot]), 'demo')).code).toBe(0);
  });

  it('of several clusters says how the one stands that needs a person most', async () => {
    const engine = new ScriptedEngine([]);
    engine.listings = [listing('a', {}), listing('b', { blocked: ['cp-1/init'] }), listing('c', { status: 'failed' })];
    expect((await status(engine, '--exit-code')).code).toBe(3);
    engine.listings = [listing('a', { status: 'completed' }), listing('c', { status: 'failed' }), listing('b', {})];
    expect((await status(engine, '--exit-code')).code).toBe(1);
  });

  it('says of a cluster of several how many steps are blocked there, before names that have no room', async () => {
    const engine = new ScriptedEngine([]);
    const names = Array.from({ length: 40 }, (_, index) => `w-${index}/preflight`);
    engine.listings = [listing('a', { blocked: [...names, '+960'] }), listing('b', { blocked: ['w-1/x', 'w-2/x'] })];
    const { stdout } = await status(engine);
    expect(stdout).toMatch(/a +blocked .* 1000: w-0\/preflight, w-1\/preflight/);
    expect(stdout).toMatch(/b +blocked .* 2: w-1\/x, w-2\/x\n/);
  });

  it('tells a fault that hosts share once to people, and each step of it to programs', async () => {
    const snapshot = moment(fault(60));
    const { objects } = await status(new ScriptedEngine([snapshot]), 'demo', '--json');
    expect(objects[0]).not.toHaveProperty('addresses');
    expect(objects[0]).toMatchObject({ progress: { blocked: expect.objectContaining({ length: 60 }) } });
    const { stdout } = await status(new ScriptedEngine([snapshot]), 'demo');
    expect(stdout).toContain('✗ packages on 60 hosts  blocked for');
  });

  it('says which build planned the run: to programs always, to people where it is another one', async () => {
    const planned = (build: string) => new ScriptedEngine([moment(preparing(), { build })]);
    const other = await status(planned('0.1.0+1111111aa'), 'demo');
    expect(other.stderr).toContain(`Planned by kubewright 0.1.0+1111111aa; this is ${BUILD}.`);
    expect((await status(planned(BUILD), 'demo')).stderr).not.toContain('Planned by');
    const { objects } = await status(planned(BUILD), 'demo', '--json');
    expect(objects[0]).toMatchObject({ type: 'install', build: BUILD });
  });

  it('refuses settings of Temporal that cannot be meant as wrong input', async () => {
    const { code, stderr } = await status(new ScriptedEngine([]), '--embedded', '--address', 'team:7233');
    expect(code).toBe(2);
    expect(stderr).toContain('error KW504: Two Temporal servers are asked for');
  });

  it('says that a worker fails, and why, not that none answers', async () => {
    const failing = moment(preparing(), { source: 'history', taskAttempts: 7, taskFailure: 'Nondeterminism error' });
    const { stderr } = await status(new ScriptedEngine([failing]), 'demo');
    expect(stderr).toContain('A worker runs, but fails at this install: Nondeterminism error');
    expect(stderr).not.toContain('No worker answers');
  });

  it('does not say that no worker runs where one may only be slow', async () => {
    const silent = moment(preparing(), { source: 'history' });
    const { stderr } = await status(new ScriptedEngine([silent]), 'demo');
    expect(stderr).toContain('No worker answers in time: none runs, or it has too much to do.');
  });

  it('says whose workers do not answer where the run is pinned to a build', async () => {
    const silent = moment(preparing(), { source: 'history', pinnedTo: '0.2.0+0123456ab' });
    const { stderr } = await status(new ScriptedEngine([silent]), 'demo');
    expect(stderr).toContain('No worker of kubewright 0.2.0+0123456ab answers in time');
  });

  it('lists an encrypted install for who has not the key, and says what is lacking', async () => {
    const engine = new ScriptedEngine([]);
    engine.listings = [listing('demo', { blocked: ['cp-1/init'] })];
    engine.unreadable = new KubewrightError('KW512', 'A payload was encrypted with key abc', { hint: 'Give the key.' });
    const { code, stdout, stderr } = await status(engine);
    expect(code).toBe(0);
    expect(stdout).toMatch(/demo +blocked .* cp-1\/init/);
    expect(stderr).toContain('encrypted with key abc. Give the key.');
  });
});
