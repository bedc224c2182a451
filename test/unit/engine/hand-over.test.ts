import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { handOverForAbort } from '../../../src/engine/runs/decide.js';
import type { Engine } from '../../../src/engine/types.js';

/** A cluster whose present run is pinned to a build without workers; notes what is given to the current one. */
function engineWith(presentRun: string): { engine: Engine; pinned: unknown[] } {
  const pinned: unknown[] = [];
  const execution = { workflowId: 'cluster/demo', runId: presentRun };
  const raw = {
    workflowExecutionInfo: {
      execution,
      taskQueue: 'kubewright/cluster/demo',
      versioningInfo: { versioningOverride: { pinned: { version: { buildId: 'gone' } } } },
    },
  };
  const identity = `${process.pid}@${hostname()} kubewright/new`;
  const workflowService = {
    getSystemInfo: async () => ({ serverVersion: '1.29.1' }),
    describeWorkerDeployment: async () => ({
      workerDeploymentInfo: { routingConfig: { currentDeploymentVersion: { buildId: 'new' } } },
    }),
    describeTaskQueue: async () => ({ pollers: [{ identity, lastAccessTime: { seconds: Date.now() / 1_000 } }] }),
    updateWorkflowExecutionOptions: async ({ workflowExecution }: { workflowExecution: unknown }) => {
      pinned.push(workflowExecution);
    },
  };
  const describe = async () => ({ runId: presentRun, status: { name: 'RUNNING' }, raw });
  const client = { workflowService, workflow: { getHandle: () => ({ describe }) } };
  return { engine: { client, settings: { namespace: 'default' } } as unknown as Engine, pinned };
}

it('a run that is aborted is given to the worker that was brought', async () => {
  const { engine, pinned } = engineWith('run-1');
  await handOverForAbort(engine, 'demo', 'run-1');
  expect(pinned).toEqual([{ workflowId: 'cluster/demo', runId: 'run-1' }]);
});

it('a run that has begun since the abort is left to its own workers', async () => {
  const { engine, pinned } = engineWith('run-2');
  await handOverForAbort(engine, 'demo', 'run-1');
  expect(pinned).toEqual([]);
});
