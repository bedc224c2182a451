import { describe, expect, it, vi } from 'vitest';
import { RunsByReference } from '../../../src/activities/by-reference.js';
import { planInstall } from '../../../src/plan/install.js';
import { PLAN_FORMAT, type RunInput, type StepReference } from '../../../src/plan/run.js';
import { clusterOf } from '../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 3 });
const run: RunInput = { cluster, plan: planInstall(cluster), planHash: 'hash', build: '0.2.0' };

function reference(step: string, fields: Partial<StepReference> = {}): StepReference {
  const root = { workflowId: 'cluster/demo', runId: 'run-1' };
  return { root, planHash: 'hash', step, format: PLAN_FORMAT, build: '0.2.0', ...fields };
}

describe('a step that comes by reference', () => {
  it('gets cluster and plan from its run, which is read once for all of its steps', async () => {
    const read = vi.fn(async () => run);
    const runs = new RunsByReference(read);
    const asked = ['w-1/join', 'w-2/join', 'cluster/dns'].map((id) => runs.stepInput(reference(id)));
    const inputs = await Promise.all(asked);
    expect(inputs.map(({ step }) => step.title)).toEqual([
      'Join worker w-1',
      'Join worker w-2',
      'Verify that DNS answers from a pod on each node',
    ]);
    expect(inputs[0]?.cluster).toBe(cluster);
    expect(read).toHaveBeenCalledTimes(1);
    expect(read).toHaveBeenCalledWith({ workflowId: 'cluster/demo', runId: 'run-1' });
  });

  it('sees the cluster without the hosts that were left out, and the connections of all', async () => {
    const runs = new RunsByReference(async () => run);
    const input = await runs.stepInput(reference('cluster/dns', { without: ['w-1', 'w-3'] }));
    expect(input.cluster.hosts.map(({ name }) => name)).toEqual(['cp-1', 'w-2']);
    expect(input.wholeCluster).toBe(cluster);
  });

  it('is tried again where Temporal does not give the run, and reads it then', async () => {
    const read = vi.fn(async () => run).mockRejectedValueOnce(new Error('14 UNAVAILABLE'));
    const runs = new RunsByReference(read);
    await expect(runs.stepInput(reference('w-1/join'))).rejects.toMatchObject({
      code: 'KW561',
      transient: true,
      message: 'the worker cannot read what cluster/demo was started with: 14 UNAVAILABLE',
    });
    expect((await runs.stepInput(reference('w-1/join'))).step.id).toBe('w-1/join');
  });

  it('is tried again where what Temporal gave holds no run', async () => {
    const read = vi.fn(async () => run).mockResolvedValueOnce(undefined as unknown as RunInput);
    const runs = new RunsByReference(read);
    await expect(runs.stepInput(reference('w-1/join'))).rejects.toMatchObject({ code: 'KW561', transient: true });
    expect((await runs.stepInput(reference('w-1/join'))).step.id).toBe('w-1/join');
  });

  it.each([
    ['another plan', reference('w-1/join', { planHash: 'other' })],
    ['a step that the plan does not have', reference('w-9/join')],
  ])('is refused for %s', async (_name, asked) => {
    const runs = new RunsByReference(async () => run);
    await expect(runs.stepInput(asked)).rejects.toMatchObject({ code: 'KW562', step: asked.step });
  });

  it('keeps no more runs than a worker will see, and reads an old one anew', async () => {
    const read = vi.fn(async () => run);
    const runs = new RunsByReference(read);
    const of = (runId: string) => reference('w-1/join', { root: { workflowId: 'cluster/demo', runId } });
    for (let number = 0; number < 21; number++) await runs.stepInput(of(`run-${number}`));
    await runs.stepInput(of('run-20'));
    expect(read).toHaveBeenCalledTimes(21);
    await runs.stepInput(of('run-0'));
    expect(read).toHaveBeenCalledTimes(22);
  });
});
