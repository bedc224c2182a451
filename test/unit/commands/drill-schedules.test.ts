import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseInterval } from '../../../src/commands/support/duration.js';
import { firstDue, parseTimeOfDay } from '../../../src/commands/support/time-of-day.js';
import type { DrillRhythm, DrillSchedule } from '../../../src/engine/index.js';
import { KubewrightError } from '../../../src/errors.js';
import { done } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { type RunOptions, runCommand } from './run.js';

const CLUSTER = `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane }
    - { name: cp-2, address: 10.88.0.12, role: control-plane }
    - { name: cp-3, address: 10.88.0.13, role: control-plane }
    - { name: w-1, address: 10.88.0.21, role: worker }
`;

let directory = '';
let file = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-drill-schedules-'));
  file = join(directory, 'cluster.yaml');
  await writeFile(file, CLUSTER);
});
afterAll(() => rm(directory, { recursive: true }));

// Should the command reach for a real server all the same, it fails instead of scheduling something.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
const DAY_MS = 86_400_000;
const nextAt = Date.UTC(2026, 3, 1, 9, 30);
const made: DrillSchedule = {
  cluster: 'demo',
  everyMs: 30 * DAY_MS,
  paused: false,
  nextAt,
  changedAt: 0,
  options: { only: ['balancer'] },
  underWay: false,
};

interface Written {
  rhythm: DrillRhythm;
  options: object;
}

async function drill(
  argv: string[],
  { engine = new ScriptedEngine([]), ...options }: RunOptions & { engine?: ScriptedEngine } = {},
) {
  const written: Written[] = [];
  vi.doMock('../../../src/engine/service/record.js', async (original) => ({
    ...(await original<object>()),
    serviceRecord: async () => undefined,
  }));
  vi.doMock('../../../src/engine/index.js', async (original) => ({
    ...engine.module(await original<object>()),
    scheduleDrills: async (_: object, __: object, rhythm: DrillRhythm, asked: object) => {
      written.push({ rhythm, options: asked });
      return made;
    },
    listDrillSchedules: async () => [made, { ...made, cluster: 'other', paused: true, nextAt: undefined, options: {} }],
    readLatestInput: async (_: object, name: string) => {
      throw new KubewrightError('KW523', `There is no install of cluster ${name}`);
    },
  }));
  return { ...(await runCommand(['drill', ...argv], { env, ...options })), written, engine };
}

describe('drill schedule', () => {
  const asked = ['schedule', '--every', '30d', '--at', '09:30', '--only', 'balancer'];

  it('says what will be broken, how often and when next, then schedules it and leaves a worker for it', async () => {
    const { code, stdout, stderr, written, engine } = await drill([...asked, file, '--yes']);
    expect(code).toBe(0);
    expect(stderr).toContain('balancer: the balancer of the host that has the endpoint');
    expect(stderr).toMatch(/every 30 d from now on, without asking again\. The next ones: .* 09:30 UTC, .* 09:30 UTC/);
    expect(stderr).toContain('where what is scheduled must not stop, make them a service');
    expect(written).toMatchObject([{ rhythm: { everyMs: 30 * DAY_MS }, options: { only: ['balancer'] } }]);
    expect((written[0]?.rhythm.firstAt ?? 0) % DAY_MS).toBe(9.5 * 3_600_000);
    expect(stdout).toContain('demo: every 30 d, next 2026-04-01 09:30 UTC (balancer)');
    expect(engine.calls).toContain('detach worker');
    expect(engine.calls).toContain('detach server');
  });

  it('asks for the name of the cluster, and schedules nothing without it, or where nobody can be asked', async () => {
    const wrong = await drill([...asked, file], { tty: true, stdin: 'production\n' });
    const nobody = await drill([...asked, file]);
    for (const { code, stderr, written, engine } of [wrong, nobody]) {
      expect(code).toBe(1);
      expect(stderr).toContain('KW678');
      expect([written, engine.calls]).toEqual([[], []]);
    }
    const right = await drill([...asked, file], { tty: true, stdin: 'demo\n' });
    expect(right.written).toHaveLength(1);
  });

  it('refuses less than a day, a time of the day that no interval keeps, and a cluster that nobody knows', async () => {
    const often = await drill(['schedule', file, '--every', '6h', '--yes']);
    expect(often.stderr).toContain('KW119');
    const uneven = await drill(['schedule', file, '--every', '36h', '--at', '09:30', '--yes']);
    expect(uneven.stderr).toContain('KW117');
    const unknown = await drill(['schedule', 'moon', '--every', '30d', '--yes']);
    expect(unknown.stderr).toContain('KW523');
    for (const { code, written } of [often, uneven, unknown]) {
      expect(code).not.toBe(0);
      expect(written).toEqual([]);
    }
  });

  it('gives power commands to the worker alone, and says to whom else where another one does it', async () => {
    const power = ['--power-off', 'ipmi {host} off', '--power-on', 'ipmi {host} on'];
    const variables = ['KUBEWRIGHT_POWER_OFF', 'KUBEWRIGHT_POWER_ON'];
    const here = await drill(['schedule', file, '--every', '30d', '--yes', ...power]);
    expect(here.engine.asked.needs?.variables).toEqual(expect.arrayContaining(variables));
    expect(JSON.stringify(here.written)).not.toContain('ipmi');
    const engine = new ScriptedEngine([]);
    engine.embedded = false;
    const elsewhere = await drill(['schedule', file, '--every', '30d', '--yes', '--no-worker', ...power], { engine });
    expect(elsewhere.stderr).toContain('Its worker needs KUBEWRIGHT_POWER_OFF and KUBEWRIGHT_POWER_ON');
  });

  it('lists what is scheduled, for people and for programs', async () => {
    const { stdout } = await drill(['list']);
    expect(stdout).toBe(
      'demo: every 30 d, next 2026-04-01 09:30 UTC (balancer)\n' +
        'other: every 30 d, paused (all that are possible without a power command)\n',
    );
    const { objects } = await drill(['list', '--json']);
    expect(objects.filter(({ type }) => type === 'drill-schedule')).toMatchObject([{ cluster: 'demo', nextAt }, {}]);
  });
});

describe('status', () => {
  const last = {
    cluster: 'demo',
    at: nextAt - DAY_MS,
    outcome: 'refused' as const,
    why: { code: 'KW671', message: 'demo is not healthy: KW481', hint: '' },
  };

  it('shows when the next drill is due, why the last one was none, and that they have stopped coming', async () => {
    const engine = new ScriptedEngine([moment(done(), { status: 'completed' })]);
    engine.known = { drills: { schedule: made, last, silentSince: nextAt - 40 * DAY_MS } };
    vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
    const { code, stdout } = await runCommand(['status', 'demo', '--exit-code'], { env });
    expect(code).toBe(1);
    expect(stdout).toContain('every 30 d, next 2026-04-01 09:30 UTC');
    expect(stdout).toContain('2026-03-31 09:30 UTC: demo is not healthy: KW481.');
    expect(stdout).toContain('No drill has begun since 2026-02-20 09:30 UTC');
    const { objects } = await runCommand(['status', 'demo', '--json'], { env });
    expect(objects.find(({ type }) => type === 'cluster')).toMatchObject({
      state: 'amiss',
      drills: { schedule: { nextAt } },
    });
  });
});

describe('the first drill', () => {
  const now = Date.UTC(2026, 2, 2, 10, 0, 42);

  it('comes one interval from now at the minute, or the next time that it is so late in the day', () => {
    expect(firstDue(30 * DAY_MS, undefined, now)).toBe(Date.UTC(2026, 3, 1, 10, 0));
    expect(firstDue(30 * DAY_MS, parseTimeOfDay('10:30'), now)).toBe(Date.UTC(2026, 2, 2, 10, 30));
    expect(firstDue(30 * DAY_MS, parseTimeOfDay('9:30'), now)).toBe(Date.UTC(2026, 2, 3, 9, 30));
  });

  it('has an interval in days, hours, or both', () => {
    expect([parseInterval('30d'), parseInterval('1d12h'), parseInterval('36h')]).toEqual(
      [720, 36, 36].map((hours) => hours * 3_600_000),
    );
    for (const wrong of ['', '0d', '400d', 'd', '3x', '1d3'])
      expect(() => parseInterval(wrong)).toThrow('Give a duration');
    for (const wrong of ['24:00', '9', '09:60']) expect(() => parseTimeOfDay(wrong)).toThrow('Give a time of the day');
  });
});
