import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Page } from 'playwright-core';
import { loadCluster } from '../../src/cluster/load.js';
import { temporalReader } from '../../src/dashboard/reader.js';
import { type Dashboard, serveDashboard } from '../../src/dashboard/server.js';
import { connect, decide, type Engine, startRun, stateDirectory } from '../../src/engine/index.js';
import { runWorker } from '../../src/worker.js';
import { openBrowser } from '../../test/browser.js';
import { type Figure, printTable } from '../table.js';
import { fakeSteps, stepsInTurn } from './fake-steps.js';
import { delays, noteSteps, visit, type Weight, weigh } from './measure.js';

const VISITS = 7;
/** The first ones are over when the page is looked at for good, and the last one closes its phase. */
const STEPS = 50;

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
    - { name: w-2, address: 10.88.0.22, role: worker }
`;

/**
 * `npm run bench:page`: what the page takes to be seen, to show what has happened, and to be loaded. Temporal, worker, program and browser
 * are those of a user; the steps are fakes that only take time.
 */
async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const stateDir = await mkdtemp(join(tmpdir(), 'kubewright-bench-page-'));
  const engine = await connect({ stateDir });
  const stopping = new AbortController();
  const worker = await startWorker(engine, stateDir, stopping.signal);
  const dashboard = await serveDashboard({
    reader: temporalReader(engine),
    decide: (cluster, { verb, ...decision }) => decide(engine, cluster, verb, decision),
    port: 0,
  });
  const browser = await openBrowser();
  try {
    await printTable(
      await measure(engine, { stateDir, dashboard, page: browser.page }),
      join(await stateDirectory(process.env), 'bench-page.json'),
    );
  } finally {
    await browser.close();
    await dashboard.close();
    stopping.abort();
    await worker.ended;
    await engine.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** Resolves when it takes work; what it gives resolves when it has ended. */
async function startWorker(engine: Engine, stateDir: string, signal: AbortSignal): Promise<{ ended: Promise<void> }> {
  const env = { ...process.env, TEMPORAL_ADDRESS: engine.settings.address };
  return new Promise((resolve, reject) => {
    // In an object: a promise would be waited for.
    const ended = runWorker({ env, stateDir, activities: fakeSteps(), signal, onReady: () => resolve({ ended }) });
    ended.catch(reject);
  });
}

interface Bench {
  stateDir: string;
  dashboard: Dashboard;
  page: Page;
}

async function measure(engine: Engine, { stateDir, dashboard, page }: Bench): Promise<Figure[]> {
  const file = join(stateDir, 'cluster.yaml');
  await writeFile(file, CLUSTER);
  const { cluster } = await loadCluster(file);
  const { workflowId } = await startRun(engine, {
    cluster,
    plan: stepsInTurn(STEPS),
    planHash: 'bench',
    build: 'bench',
  });
  const visits = [];
  for (let count = 0; count < VISITS; count += 1) visits.push(await visit(page, dashboard.address, cluster.name));
  const weight = await weigh(page);
  await noteSteps(page);
  await page.locator(`[data-step="cluster/step-${STEPS - 1}"][data-state=done]`).waitFor();
  const late = await delays(page, engine, workflowId);
  await engine.client.workflow.getHandle(workflowId).result();
  const ascending = (of: number[]): number[] => [...of].sort((a, b) => a - b);
  const paints = ascending(visits.map(({ paintMs }) => paintMs));
  const steps = ascending(visits.map(({ stepsMs }) => stepsMs));
  console.log(`${VISITS} visits, ${late.length} ends of steps\n`);
  return figures({ paints, steps, late, weight });
}

interface Measured {
  paints: number[];
  steps: number[];
  late: number[];
  weight: Weight;
}

function figures({ paints, steps, late, weight }: Measured): Figure[] {
  const ms = (key: string, what: string, value: number, goal = ''): Figure => ({ key, what, value, unit: 'ms', goal });
  const kb = (key: string, what: string, bytes: number, goal = ''): Figure => ({
    key,
    what,
    value: bytes / 1_000,
    unit: 'kB',
    goal,
  });
  return [
    ms('paint', 'first contentful paint, median', middle(paints), '≤ 1 s'),
    ms('paint-most', 'the same, most', last(paints), '≤ 1 s'),
    ms('steps', 'steps of the cluster on the page, median', middle(steps)),
    ms('steps-most', 'the same, most', last(steps)),
    ms('update', 'end of a step in Temporal, to the changed page, median', middle(late), '≤ 1 s'),
    ms('update-most', 'the same, most', last(late), '≤ 1 s'),
    kb('plain', `${weight.files} files as they are sent`, weight.plain, '≤ 300 kB'),
    kb('gzip', 'the same, were they compressed', weight.gzip),
  ];
}

const middle = (ascending: number[]): number => ascending[Math.floor(ascending.length / 2)] ?? Number.NaN;
const last = (ascending: number[]): number => ascending.at(-1) ?? Number.NaN;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
await main();
process.exit();
