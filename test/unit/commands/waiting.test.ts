import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RunSnapshot } from '../../../src/engine/index.js';
import type { BlockedStep } from '../../../src/workflows/types.js';
import { BLOCKED, blocked } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { runCommand } from './run.js';

// Should the command reach for a real server all the same, it fails instead of following something.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

/** A run in which nothing but these steps is open. */
function waiting(...steps: Partial<BlockedStep>[]): RunSnapshot {
  const view = blocked();
  view.progress.steps = view.progress.steps.filter((step) => step.state !== 'running');
  view.progress.blocked = steps.map((step, index) => ({ ...BLOCKED, blocking: index + 1, ...step }));
  return moment({ ...view, activities: {} });
}

async function run(engine: ScriptedEngine, ...argv: string[]) {
  vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
  return await runCommand(argv, { env });
}

/** The last block of what was said: why the command left, and the ways on. */
const lastOf = (stderr: string): string[] => stderr.trimEnd().split('\n\n').at(-1)?.split('\n') ?? [];

describe('a command that leaves because only a person can go on', () => {
  it('says of a run that it has come to which one that is, since when it waits, and every way on', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kubewright-waiting-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, 'cluster.yaml');
    const hosts = '{ name: cp-1, address: 10.88.0.11, role: control-plane }';
    const spec = `spec: { endpoint: { vip: 10.88.0.100 }, hosts: [${hosts}] }`;
    await writeFile(file, `apiVersion: kubewright.dev/v1alpha1\nkind: Cluster\nmetadata: { name: demo }\n${spec}\n`);
    const engine = Object.assign(new ScriptedEngine([waiting({})]), { attached: true });
    const { code, stdout, stderr } = await run(engine, 'install', file, '--no-wait');
    expect(code).toBe(3);
    expect(stdout).toContain('kubeadm failed with exit code 1');
    expect(stderr).toContain('An install of demo runs already since 2026-11-20 12:00 UTC (run run-1)');
    const [head, ...ways] = lastOf(stderr);
    expect(head).toMatch(/^demo: cp-2\/join waits for a person since 2026-11-20 12:01 UTC \(\d+ h \d\d m\)\./);
    expect(head).toContain('The run was started at 2026-11-20 12:00 UTC (run run-1).');
    expect(ways).toEqual([
      '  the cause is mended:  kubewright retry cp-2/join --cluster demo',
      '  go on without:        refused: the cluster is not whole without it',
      "  give it up:           kubewright abort --cluster demo --reason '…'",
      `  then:                 kubewright install ${file}`,
    ]);
    const { objects } = await run(engine, 'install', file, '--json');
    expect(objects.find(({ type }) => type === 'started')).toMatchObject({
      attached: true,
      startedAt: BLOCKED.since - 95_000,
    });
  });

  it('counts from the first of several, retries all, and skips what may be skipped', async () => {
    const steps = [{ since: BLOCKED.since + 3_600_000 }, { step: 'w-1/join', skippable: true }];
    const { code, stderr } = await run(new ScriptedEngine([waiting(...steps)]), 'watch', 'demo', '--no-wait');
    expect(code).toBe(3);
    const [head, ...ways] = lastOf(stderr);
    expect(head).toContain('demo: 2 steps wait for a person since 2026-11-20 12:01 UTC');
    expect(ways).toEqual([
      "  the cause is mended:  kubewright retry '*' --cluster demo",
      "  go on without:        kubewright skip w-1/join --cluster demo --reason '…'",
      "  give it up:           kubewright abort --cluster demo --reason '…'",
      '  then:                 kubewright watch demo',
    ]);
  });

  it('leaves a step of all hosts out by one command, and names some of many that have none', async () => {
    const many = (verb: string, count: number) =>
      Array.from({ length: count }, (_, index) => ({ step: `w-${index}/${verb}`, skippable: true }));
    const waysToSkip = async (...steps: Partial<BlockedStep>[]) => {
      const { stderr } = await run(new ScriptedEngine([waiting(...steps)]), 'watch', 'demo', '--no-wait');
      return lastOf(stderr).flatMap((line) => /^ {2}go on without: +(.*)/.exec(line)?.[1] ?? []);
    };
    const skip = (step: string) => `kubewright skip ${step} --cluster demo --reason '…'`;
    expect(await waysToSkip(...many('join', 300))).toEqual([skip("'*'")]);
    expect(await waysToSkip({}, ...many('images', 300))).toEqual([skip("'*/images'")]);
    // What is blocked at the same step of a control plane is in the way of one command for all.
    expect(await waysToSkip({}, ...many('join', 300))).toEqual([
      ...[0, 1, 2, 3, 4].map((index) => skip(`w-${index}/join`)),
      'and 295 more: kubewright status demo shows them',
    ]);
  });

  it('sends nobody to a retry where a step is paused in Temporal', async () => {
    const view = moment(blocked());
    view.progress.blocked = [];
    view.activities = { 'w-1/join': { attempt: 1, paused: true } };
    const { code, stderr } = await run(new ScriptedEngine([view]), 'watch', 'demo', '--no-wait');
    expect(code).toBe(3);
    expect(lastOf(stderr)[0]).toContain('demo waits for a person: w-1/join is paused in Temporal.');
    expect(stderr).not.toContain('kubewright retry');
  });
});
