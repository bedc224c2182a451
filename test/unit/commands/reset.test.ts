import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StartOptions } from '../../../src/engine/index.js';
import { KubewrightError } from '../../../src/errors.js';
import { at, done } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { type RunOptions, runCommand } from './run.js';

const CLUSTER = `
apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane }
    - { name: w-1, address: 10.88.0.21, role: worker }
`;

let directory = '';
let file = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-reset-'));
  file = join(directory, 'cluster.yaml');
  await writeFile(file, CLUSTER);
});
afterAll(() => rm(directory, { recursive: true }));

// Should the command reach for a real server all the same, it fails instead of starting something.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

const finished = () =>
  moment(done(), {
    status: 'completed',
    operation: 'reset',
    closedAt: at(131),
    result: { cluster: 'demo', changed: 7, unchanged: 1, skipped: [] },
  });

/** What the run was started with, what became of the schedule, and what the command said. */
async function reset(options: string[], run: RunOptions = {}, schedule: 'there' | 'none' = 'there') {
  const started: StartOptions[] = [];
  const schedules: string[] = [];
  vi.doMock('../../../src/engine/index.js', async (original) => {
    const engine = new ScriptedEngine([finished()]);
    const module = engine.module(await original<object>()) as { startRun(engine: object, run: StartOptions): unknown };
    return {
      ...module,
      startRun: (server: object, what: StartOptions) => {
        started.push(what);
        return module.startRun(server, what);
      },
      changeHealthSchedule: async (_: object, name: string, change: string) => {
        if (schedule === 'none') throw new KubewrightError('KW606', 'none');
        schedules.push(`${change} ${name}`);
      },
      changeDrillSchedule: async (_: object, name: string, change: string) => {
        if (schedule === 'none') throw new KubewrightError('KW120', 'none');
        schedules.push(`${change} drills of ${name}`);
      },
    };
  });
  return { ...(await runCommand(['reset', file, ...options], { env, ...run })), started, schedules };
}

describe('reset', () => {
  it('resets the cluster that --yes-reset names, ends its health checks and drills, and names its kubeconfig without deleting it', async () => {
    const { code, stdout, stderr, started, schedules } = await reset(['--yes-reset', 'demo']);
    expect(code).toBe(0);
    expect(stdout).toContain('The reset of demo is done');
    expect(started).toMatchObject([{ operation: 'reset', cluster: { name: 'demo' }, unreachableWorkers: 'leave-out' }]);
    expect(started[0]?.plan.map(({ id }) => id)).toContain('w-1/reset');
    expect(schedules).toEqual(['remove demo', 'remove drills of demo']);
    expect(stderr).toContain('kubectl config delete-context kubernetes-admin@demo');
  });

  it('says nothing of health checks and drills where there were none', async () => {
    const { code, stderr } = await reset(['--yes-reset', 'demo'], {}, 'none');
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/health checks|drills/);
  });

  it('takes one host out, and leaves schedules and kubeconfigs to the cluster that goes on', async () => {
    const { started, schedules, stderr } = await reset(['--yes-reset', 'demo', '--host', 'w-1', '--no-drain']);
    expect(started[0]?.plan.map(({ id }) => id)).toEqual([
      'cluster/preflight',
      'cluster/backup',
      'w-1/reset',
      'w-1/compare',
      'w-1/forget',
      'w-1/node',
      'cluster/record',
      'cluster/release',
    ]);
    expect(started[0]?.unreachableWorkers).toBeUndefined();
    expect(schedules).toEqual([]);
    expect(stderr).not.toContain('delete-context');
  });

  it.each([
    ['another name', ['--yes-reset', 'dmeo'], 'KW103'],
    ['nobody to ask', [], '--yes-reset demo'],
    ['a host that the file does not have', ['--yes-reset', 'demo', '--host', 'w-9'], 'no host w-9'],
  ])('starts nothing with %s', async (_, options, says) => {
    const { code, stderr, started } = await reset(options);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(started).toEqual([]);
  });

  it('asks for the name until it is the right one', async () => {
    const input = Readable.from([Buffer.from('yes\n'), Buffer.from('demo\n')]);
    const { started, stderr } = await reset([], { tty: true, input });
    expect(stderr).toContain('This resets demo, with all of its 2 hosts');
    expect(stderr).toContain('another one than "yes"');
    expect(started).toHaveLength(1);
  });

  it('starts nothing where the question is left', async () => {
    const { started } = await reset([], { tty: true, input: Readable.from([Buffer.from('no\n')]) });
    expect(started).toEqual([]);
  });
});
