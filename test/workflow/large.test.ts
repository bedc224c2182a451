import { temporal } from '@temporalio/proto';
import { expect, it } from 'vitest';
import type { Cluster, ClusterHost } from '../../src/cluster/types.js';
import { decide } from '../../src/engine/runs/decide.js';
import { startRun } from '../../src/engine/runs/start-run.js';
import { describeRun } from '../../src/engine/runs/watch-run.js';
import type { RunSnapshot } from '../../src/engine/types.js';
import { prepareInstall } from '../../src/prepare-run.js';
import { brokenStep } from './fake-activities.js';
import { engine, fakes, useFreshWorkers, worker } from './fresh-worker.js';
import { closed, testCluster } from './harness.js';

const { HistoryEvent } = temporal.api.history.v1;

/** Three control planes and so many workers, with names as they are in a data centre. */
function largeCluster(workers: number): Cluster {
  const cluster = testCluster();
  const [first] = cluster.hosts;
  const host = (name: string, role: ClusterHost['role'], number: number): ClusterHost => {
    const address = `10.${88 + Math.floor(number / 60_000)}.${Math.floor(number / 250)}.${(number % 250) + 1}`;
    return { ...(first as ClusterHost), name, role, address, labels: { 'topology.kubernetes.io/zone': 'rack-1' } };
  };
  const name = (number: number) => `worker-${String(number).padStart(4, '0')}.rack-1.example.org`;
  const controlPlanes = [1, 2, 3].map((number) => host(`cp-${number}.example.org`, 'control-plane', number));
  const rest = Array.from({ length: workers }, (_, number) => host(name(number), 'worker', number + 10));
  return { ...cluster, hosts: [...controlPlanes, ...rest] };
}

/** Waits with looks that are seldom: each asks for the state of thousands of steps. */
async function until(cluster: string, holds: (now: RunSnapshot) => boolean): Promise<RunSnapshot> {
  for (;;) {
    const snapshot = await describeRun(engine, cluster);
    if (holds(snapshot)) return snapshot;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

useFreshWorkers();

async function historyOf(workflowId: string): Promise<{ bytes: number; largestEvent: number; events: number }> {
  const { raw } = await engine.client.workflow.getHandle(workflowId).describe();
  const { events } = await engine.client.workflow.getHandle(workflowId).fetchHistory();
  const sizes = (events ?? []).map((event) => HistoryEvent.encode(event).finish().length);
  return {
    bytes: Number(raw.workflowExecutionInfo?.historySizeBytes),
    largestEvent: Math.max(...sizes),
    events: sizes.length,
  };
}

/** Of what a server takes as it is shipped: 51,200 events and 50 MiB a history, 2 MiB a payload. */
function isWithinAQuarter({ events, bytes, largestEvent }: Awaited<ReturnType<typeof historyOf>>): boolean {
  return events <= 51_200 / 4 && bytes <= (50 * 1024 * 1024) / 4 && largestEvent <= (2 * 1024 * 1024) / 4;
}

/** Milliseconds; a bound for what hangs, on a machine with other work. */
const LIMIT = 300_000;

it('300 hosts that all meet the same fault block, are counted, and are installed when it is mended', {
  timeout: LIMIT,
}, async () => {
  const cluster = largeCluster(297);
  for (const { name } of cluster.hosts) fakes.failing(`${name}/preflight`, 2, brokenStep);
  const { workflowId } = await startRun(engine, prepareInstall(cluster));
  const root = engine.client.workflow.getHandle(workflowId);
  const stuck = await until(cluster.name, ({ progress }) => progress.blocked.length === 300);
  expect(stuck.status).toBe('running');
  const attributes = async () => (await root.describe()).searchAttributes;
  await expect.poll(attributes, { timeout: LIMIT }).toMatchObject({ KubewrightBlocked: [300] });
  const names = (await attributes()).KubewrightBlockedSteps as string[];
  expect(names.at(-1)).toBe(`+${300 - names.length + 1}`);
  expect(JSON.stringify(names).length).toBeLessThan(2_048);
  const { steps } = await decide(engine, cluster.name, 'retry', { step: '*' });
  expect(steps).toHaveLength(300);
  const end = await until(cluster.name, closed);
  expect({ status: end.status, failure: end.failure }).toEqual({ status: 'completed', failure: undefined });
  expect(new Set(fakes.calls.map(({ step }) => step)).size).toBe(end.progress.steps.length);

  const groups = end.progress.groups ?? [];
  for (const id of [workflowId, ...groups.map((group) => group.workflowId)]) {
    const { bytes, largestEvent, events } = await historyOf(id);
    console.log(`${id}: ${events} events, ${bytes} bytes, largest event ${largestEvent} bytes`);
    expect({ events, bytes, largestEvent }, id).toSatisfy(isWithinAQuarter);
  }

  await worker.stop();
  // Also without a worker: from the histories, in pages that any client takes.
  const again = await describeRun(engine, cluster.name);
  expect(again).toMatchObject({ status: 'completed', source: 'history', progress: { state: 'done' } });
  expect(again.progress.steps.every(({ state }) => state === 'done')).toBe(true);
});
