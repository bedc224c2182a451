import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/cluster/types.js';
import { readClusterStatus } from '../../../src/engine/cluster-status.js';
import { checkNow } from '../../../src/engine/runs/checks.js';
import { startRun } from '../../../src/engine/runs/start-run.js';
import { changeHealthSchedule, scheduleHealth } from '../../../src/engine/schedules.js';
import { planInstall } from '../../../src/plan/install.js';
import { engine, fakes, useFreshWorkers } from '../fresh-worker.js';
import { blocked, closed, testCluster, until } from '../harness.js';
import { brokenRules } from './accessibility.js';
import { complaints, look, openCluster, page, useBrowser } from './open-page.js';

useFreshWorkers();
useBrowser();

const IMAGES = join(import.meta.dirname, '../../../docs/images');
/** Whether the pictures of the documentation are taken anew. */
const TAKES_PICTURES = process.env.KUBEWRIGHT_SCREENSHOTS === '1';

/** Installed, then checked: one node is not ready. */
async function checkedCluster(): Promise<Cluster> {
  const cluster = testCluster(TAKES_PICTURES ? 'demo' : undefined);
  const nodes = [
    { ready: true, kubelet: 'v1.34.3', names: ['cp-1', 'cp-2', 'w-2'] },
    { ready: false, kubelet: 'v1.34.3', names: ['w-1'] },
  ];
  const finding = { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', hint: 'Look at its kubelet.' };
  fakes.applied = { generation: 1, build: '0.1.0', at: '2026-03-02T09:30:00Z' };
  fakes.on('cluster/nodes', () => ({ outcome: 'unchanged', summary: '', seen: { nodes }, findings: [finding] }));
  fakes.on('cluster/endpoint', () => ({ outcome: 'unchanged', summary: '', seen: { virtualIpHolders: ['cp-1'] } }));
  fakes.on('cluster/etcd', () => ({ outcome: 'unchanged', summary: '', seen: { etcdLeader: 'cp-2' } }));
  await checkNow(engine, cluster);
  await scheduleHealth(engine, cluster, 300_000);
  const known = async () => (await readClusterStatus(engine, cluster.name)).health.report?.verdict;
  // Lists of a Temporal server lag by a moment behind its runs.
  await expect.poll(() => known().catch(() => undefined), { timeout: 30_000 }).toBe('degraded');
  return cluster;
}

describe('the page of a cluster', { timeout: 180_000 }, () => {
  it('shows what `status` and `health history` show, and what runs now, in the picture and as a table', async () => {
    const cluster = await checkedCluster();
    // Without what the check has been told: these steps are of the install.
    for (const step of ['cluster/nodes', 'cluster/endpoint', 'cluster/etcd']) fakes.on(step, fakes.behaviourOf('none'));
    fakes.failing('cp-2/join');
    const plan = planInstall(cluster);
    await startRun(engine, { cluster, plan, planHash: 'hash', build: '0.1.0' });
    await until(
      engine,
      cluster.name,
      (now) => blocked()(now) && now.progress.steps.every(({ state }) => state !== 'running'),
    );
    await openCluster(cluster.name);
    await page.getByRole('heading', { name: 'cp-2/join', exact: true }).waitFor();
    const facts = page.getByRole('region', { name: 'How it stands' });
    for (const text of ['degraded, 1 finding', 'every 5 m', '10.88.0.100:8443, held by cp-1', 'led by cp-2']) {
      await facts.getByText(text).waitFor();
    }
    await facts.getByText('w-1: w-1 is not Ready').or(facts.getByText('is not Ready')).first().waitFor();
    const picture = page.getByRole('img', { name: `Hosts of ${cluster.name}` });
    const seen = await picture.textContent();
    for (const text of ['2 control planes', 'virtual IP', 'etcd leader', 'blocked: join', 'not Ready'])
      expect(seen).toContain(text);
    await page.getByText('As a table').click();
    await page.getByRole('row', { name: /w-1 .*not Ready, KW481/ }).waitFor();
    const nodes = page.getByRole('img', { name: /degraded: 1 of 48/ });
    await nodes.first().waitFor();
    expect(await brokenRules(page)).toEqual([]);
    expect(complaints).toEqual([]);
    if (TAKES_PICTURES) await takePictures();
    fakes.on('cp-2/join', fakes.behaviourOf('none'));
    await page.getByRole('button', { name: 'Retry cp-2/join' }).click();
    await until(engine, cluster.name, closed);
    await changeHealthSchedule(engine, cluster.name, 'remove');
  });
});

async function takePictures(): Promise<void> {
  await mkdir(IMAGES, { recursive: true });
  await page.getByText('As a table').click();
  for (const how of ['light', 'dark', 'phone'] as const) {
    await look(how);
    if (how !== 'phone') await page.setViewportSize({ width: 1000, height: 1_060 });
    await page.evaluate('scrollTo(0, 0)');
    await page.screenshot({ path: join(IMAGES, `dashboard-${how}.png`), animations: 'disabled' });
  }
  await look('light');
  await page.setViewportSize({ width: 1000, height: 1_060 });
  await page.evaluate("document.getElementById('topology-title').scrollIntoView()");
  await page.screenshot({ path: join(IMAGES, 'dashboard-hosts.png'), animations: 'disabled' });
}
