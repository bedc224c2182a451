import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { changeDrillSchedule, scheduleDrills } from '../../../src/engine/drill-schedules.js';
import { startRun } from '../../../src/engine/runs/start-run.js';
import { planDrill } from '../../../src/plan/drill.js';
import { prepareRun } from '../../../src/prepare-run.js';
import { BALANCER } from '../../unit/terminal/drills.js';
import { changed } from '../fake-activities.js';
import { fakeDrill } from '../fake-drill.js';
import { engine, fakes, useFreshWorkers } from '../fresh-worker.js';
import { closed, testCluster, until } from '../harness.js';
import { brokenRules } from './accessibility.js';
import { complaints, dashboard, inPage, look, openCluster, page, useBrowser } from './open-page.js';

useFreshWorkers();
useBrowser();

const IMAGE = join(import.meta.dirname, '../../../docs/images/dashboard-drills.png');
/** Whether the pictures of the documentation are taken anew. */
const TAKES_PICTURES = process.env.KUBEWRIGHT_SCREENSHOTS === '1';

const DAY_MS = 86_400_000;

describe('the page of a cluster that is drilled', { timeout: 180_000 }, () => {
  it('shows what the last drill has measured as it ends, and when the next one is due', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kubewright-page-drill-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    fakeDrill(fakes, directory);
    fakes.on('cluster/balancer-report', () => ({ ...changed, measured: BALANCER }));
    const held = fakes.holding('cluster/balancer-end');
    const cluster = testCluster(TAKES_PICTURES ? 'demo' : undefined);
    const firstAt = Math.floor(Date.now() / DAY_MS) * DAY_MS + 3 * DAY_MS;
    await scheduleDrills(engine, cluster, { everyMs: 30 * DAY_MS, firstAt }, { only: ['balancer'] });
    onTestFinished(() => changeDrillSchedule(engine, cluster.name, 'remove'));
    const run = prepareRun('drill', cluster, planDrill(cluster, { only: ['balancer'] }));
    await startRun(engine, { ...run, patienceMs: 1_000 });
    await openCluster(cluster.name);
    await page.locator('[data-step="cluster/balancer-end"][data-state=running]').waitFor();
    const drills = page.getByRole('region', { name: 'Fail-over drills' });
    expect(await drills.count()).toBe(0);
    held.release();
    await drills.getByText('1 scenario measured, ended').waitFor();
    await until(engine, cluster.name, closed);
    await drills.getByRole('row', { name: /^balancer cp-1 410 420 1300 110/ }).waitFor();
    const picture = drills.getByRole('img', { name: `Fail-over drill of ${cluster.name}` });
    expect(await picture.locator('desc').textContent()).toContain(
      'balancer on cp-1: longest time without an answer: any answer 410 ms',
    );
    // One outage of half a second and more, which is red.
    expect(await picture.locator('rect.gap').count()).toBe(1);
    const due = `every 30 d, next ${new Date(firstAt).toISOString().slice(0, 10)} 00:00 UTC`;
    await page.getByRole('region', { name: 'How it stands' }).getByText(due).waitFor();
    if (TAKES_PICTURES) await takePicture();
    for (const how of ['light', 'dark', 'phone'] as const) {
      await look(how);
      expect(await brokenRules(page), how).toEqual([]);
      expect(await inPage<number>('document.documentElement.scrollWidth - innerWidth'), how).toBeLessThanOrEqual(0);
    }
    await page.goto(dashboard.address);
    const line = page.getByRole('region', { name: 'Schedules' });
    await line.getByText(`${cluster.name}, drills`).waitFor();
    await line.getByText(due).waitFor();
    expect(complaints).toEqual([]);
  });
});

async function takePicture(): Promise<void> {
  await page.setViewportSize({ width: 1000, height: 560 });
  await page.evaluate("document.getElementById('drills-title').scrollIntoView()");
  await page.screenshot({ path: IMAGE, animations: 'disabled' });
}
