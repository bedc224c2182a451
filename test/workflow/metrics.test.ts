import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, inject, it, onTestFinished } from 'vitest';
import { checkNow } from '../../src/engine/runs/checks.js';
import { freePort } from '../../src/engine/server/ports.js';
import { ensureWorker, stopWorker } from '../../src/engine/worker-process.js';
import { closed, startTest, step, type TestEngine, testCluster, testEngine, until } from './harness.js';

const LOADER = fileURLToPath(new URL('./typescript-loader.mjs', import.meta.url));

let directory: string;
let engine: TestEngine;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-metrics-'));
  engine = { ...(await testEngine()), stateDir: directory };
});
afterEach(async () => {
  await stopWorker(engine);
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

it('a worker serves its own metrics and those of Temporal’s SDK at one address, in Prometheus’ form', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const fake = {
    FAKE_HOLD: 'cp-1/join',
    FAKE_FINDS: 'cluster/nodes',
    FAKE_RELEASE: join(directory, 'release'),
    FAKE_LOG: join(directory, 'tries'),
  };
  await ensureWorker(engine, {
    env: { ...engine.env, ...fake, FAKE_BUNDLE: inject('workflowBundle'), KUBEWRIGHT_METRICS: address },
    program: fileURLToPath(new URL('./worker-child.ts', import.meta.url)),
    nodeOptions: ['--import', LOADER],
  });
  const plan = [
    step('cp-1/check', [], { action: 'checkHost' }),
    step('cp-1/join', ['cp-1/check'], { action: 'joinControlPlane' }),
  ];
  const { cluster } = await startTest(engine, plan);
  const metrics = async () => (await fetch(`http://${address}/metrics`)).text();

  await expect.poll(metrics).toContain('kubewright_steps_running{action="joinControlPlane"} 1');
  const during = await metrics();
  expect(during).toContain('kubewright_steps_total{action="checkHost",outcome="changed"} 1');
  expect(during).toContain('kubewright_step_duration_seconds_bucket{action="checkHost",le="1800"} 1');
  expect(during).toMatch(/^kubewright_connections_open(\{\})? 0$/m);
  expect(during).toMatch(/^kubewright_event_loop_delay_p99_seconds(\{\})? [\d.]+$/m);
  expect(during).toMatch(/^process_resident_memory_bytes(\{\})? \d+$/m);
  const slots = new RegExp(`temporal_worker_task_slots_available\\{.*task_queue="${engine.taskQueue}"`);
  await expect.poll(metrics).toMatch(slots);

  await writeFile(fake.FAKE_RELEASE, '');
  await until(engine, cluster.name, closed);
  const after = await metrics();
  expect(after).toContain('kubewright_steps_running{action="joinControlPlane"} 0');
  expect(after).toContain('kubewright_steps_total{action="joinControlPlane",outcome="changed"} 1');

  const checked = testCluster();
  await checkNow(engine, checked);
  await expect.poll(metrics).toContain(`kubewright_health_verdict{cluster="${checked.name}",verdict="degraded"} 1`);
  const afterCheck = await metrics();
  expect(afterCheck).toContain(`kubewright_health_verdict{cluster="${checked.name}",verdict="ok"} 0`);
  expect(afterCheck).toContain(`kubewright_health_findings{cluster="${checked.name}",code="KW481"} 1`);
  expect(afterCheck).toMatch(
    new RegExp(`^kubewright_health_checked_timestamp_seconds\\{cluster="${checked.name}"\\} [\\d.e+]+$`, 'm'),
  );

  // What the page says there is, and nothing that it does not say.
  const page = await readFile(new URL('../../docs/temporal.md', import.meta.url), 'utf8');
  const served = [...afterCheck.matchAll(/^# TYPE ((?:kubewright|process)_\w+)/gm)].map(([, name]) => name);
  const described = [...page.matchAll(/^\| `((?:kubewright|process)_\w+)`/gm)].map(([, name]) => name);
  expect(served.sort()).toEqual(described.sort());
});

it('`worker --metrics` with an address that is taken ends before it is ready, and says what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await expect.poll(() => other.address()).not.toBeNull();
  const { port } = other.address() as { port: number };
  const address = `127.0.0.1:${port}`;
  const program = join(directory, 'kubewright.mjs');
  const client = new URL('../../src/client.ts', import.meta.url).href;
  await writeFile(program, `const { run } = await import('${client}');\nawait run();\n`);
  const { exitCode, stderr } = await execa(
    process.execPath,
    ['--import', LOADER, program, 'worker', '--metrics', address],
    { env: { ...engine.env, KUBEWRIGHT_STATE: directory }, reject: false },
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain('KW580');
  expect(stderr).toContain(`Metrics cannot be served at ${address}: Address already in use`);
  expect(stderr).toContain('name another port with --metrics');
  expect(stderr).not.toContain('The worker is ready');
});
