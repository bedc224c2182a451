import { describe, expect, it } from 'vitest';
import { startRun } from '../../../src/engine/runs/start-run.js';
import { describeRun } from '../../../src/engine/runs/watch-run.js';
import { engine, fakes, useFreshWorkers } from '../fresh-worker.js';
import { blocked, closed, startTest, stateOf, step, until } from '../harness.js';
import { brokenRules } from './accessibility.js';
import { complaints, dashboard, inPage, look, openCluster, page, useBrowser } from './open-page.js';

useFreshWorkers();
useBrowser();

const PLAN = [
  step('cp-1/one'),
  step('cp-2/two', ['cp-1/one']),
  step('w-1/three', ['cp-1/one']),
  step('cluster/four', ['cp-2/two', 'w-1/three']),
];

/** An install of which steps have failed and wait for a person, and the page that shows it. */
async function openBlocked(steps = ['cp-2/two'], failures = 2): Promise<string> {
  for (const id of steps) fakes.failing(id, failures);
  const { cluster } = await startTest(engine, PLAN);
  await until(engine, cluster.name, blocked(steps.length));
  await openCluster(cluster.name);
  await page.getByRole('heading', { name: steps[0], exact: true }).waitFor();
  return cluster.name;
}

const focused = () => inPage<string>(`document.activeElement?.getAttribute('aria-label') ?? ''`);

/** Goes on by the Tab key until something of that name has the focus. */
async function tabTo(name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    if ((await focused()) === name) return;
  }
  throw new Error(`no way by the Tab key leads to ${name}`);
}

// A browser and a server, beside other test files.
describe('the page', { timeout: 180_000 }, () => {
  it('shows a blocked step with its output; Retry there has the install go on to its end, which is seen', async () => {
    const cluster = await openBlocked();
    await expect.poll(() => page.getByText('dial tcp: connection refused').isVisible()).toBe(true);
    expect(await page.getByText('Open port 6443.').isVisible()).toBe(true);
    await page.getByRole('button', { name: 'Retry cp-2/two' }).click();
    const end = await until(engine, cluster, closed);
    expect(end).toMatchObject({ status: 'completed', progress: { decisions: [{ verb: 'retry', via: 'update' }] } });
    await page.getByRole('heading', { name: `Install ${cluster} installed` }).waitFor();
    expect(await page.getByRole('button', { name: 'Retry cp-2/two' }).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('shows steps as they run, with their output, and the next install by itself', async () => {
    const held = fakes.holding('cp-1/one');
    const { cluster } = await startTest(engine, PLAN);
    await openCluster(cluster.name);
    const running = page.locator('[data-step="cp-1/one"][data-state=running]');
    await running.getByText('still at it').waitFor();
    held.release();
    await page.getByRole('heading', { name: `Install ${cluster.name} installed` }).waitFor();
    const again = fakes.holding('cp-2/two');
    await startRun(engine, { cluster, plan: PLAN, planHash: 'hash', build: '0.1.0' });
    await page.locator('[data-step="cp-2/two"][data-state=running]').waitFor();
    again.release();
    await page.getByRole('heading', { name: `Install ${cluster.name} installed` }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('is used with the keyboard alone: to the cluster, to Retry, and on from the answer', async () => {
    const cluster = await openBlocked();
    await page.goto(dashboard.address);
    await page.getByRole('link', { name: cluster, exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'cp-2/two', exact: true }).waitFor();
    await tabTo('Retry cp-2/two');
    await page.keyboard.press('Enter');
    expect((await until(engine, cluster, closed)).status).toBe('completed');
    await expect.poll(() => inPage('document.activeElement?.id')).toBe('notice');
    expect(await page.locator('#notice').textContent()).toContain('cp-2/two');
  });

  it('asks for a reason before a step is skipped; Escape takes that back and gives the focus back', async () => {
    const cluster = await openBlocked(['w-1/three'], Number.POSITIVE_INFINITY);
    await tabTo('Skip w-1/three …');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Skip w-1/three?' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await expect.poll(focused).toBe('Skip w-1/three …');
    await page.keyboard.press('Enter');
    const reason = page.getByLabel('Why, for the record');
    await page.getByRole('button', { name: 'Skip', exact: true }).click();
    // The browser does not send a form without it.
    expect(await inPage(`document.getElementById('reason').validity.valueMissing`)).toBe(true);
    expect(stateOf(await describeRun(engine, cluster), 'w-1/three')).toBe('blocked');
    await reason.fill('its disk is broken');
    await page.keyboard.press('Enter');
    const end = await until(engine, cluster, closed);
    expect(end.progress.decisions).toMatchObject([{ verb: 'skip', reason: 'its disk is broken' }]);
  });

  it('keeps a question that was asked before the browser had told that the one before it was closed', async () => {
    await openBlocked(['w-1/three'], Number.POSITIVE_INFINITY);
    await page.getByRole('button', { name: 'Skip w-1/three …' }).click();
    await page.getByRole('dialog').waitFor();
    // The browser tells of the close with its next picture.
    await inPage(`(async () => {
      document.querySelector('dialog').close();
      document.querySelector('[aria-label^="Skip"]').click();
      for (let pictures = 0; pictures < 3; pictures += 1) await new Promise(requestAnimationFrame);
    })()`);
    expect(await page.getByRole('dialog', { name: 'Skip w-1/three?' }).count()).toBe(1);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  it('aborts after a question, and says how the install ended', async () => {
    const cluster = await openBlocked();
    await page.getByRole('button', { name: 'Abort the install …' }).click();
    const dialog = page.getByRole('dialog', { name: `Abort the install of ${cluster}?` });
    await dialog.getByRole('button', { name: 'Abort' }).click();
    const end = await until(engine, cluster, closed);
    expect(end.progress.state).toBe('aborted');
    await page
      .getByText(end.failure?.code ?? 'no failure', { exact: false })
      .first()
      .waitFor();
  });

  it('tells a refusal: a page that is behind decides nothing about what has become of a step since', async () => {
    const cluster = await openBlocked(['cp-2/two'], Number.POSITIVE_INFINITY);
    const decided = await inPage(`(async () => {
      const headers = { 'kubewright-token': sessionStorage.getItem('kubewright-token') };
      const body = JSON.stringify({ verb: 'retry', step: 'cp-2/two', blocking: 99 });
      const response = await fetch('/api/clusters/${cluster}/decisions', { method: 'POST', headers, body });
      return { status: response.status, body: await response.json() };
    })()`);
    expect(decided).toMatchObject({ status: 409, body: { code: expect.stringMatching(/^KW8/) } });
    expect(stateOf(await describeRun(engine, cluster), 'cp-2/two')).toBe('blocked');
  });

  it('says what to do where it was opened without its token, and shows nothing', async () => {
    await page.goto(dashboard.address);
    await inPage('sessionStorage.clear()');
    await page.goto('about:blank');
    await page.goto(dashboard.address.replace(/#.*/, ''));
    await page.getByRole('heading', { name: 'This address is not complete' }).waitFor();
    expect(await page.getByRole('heading', { name: 'Clusters' }).count()).toBe(0);
  });

  it('breaks no rule of accessibility in light, dark and on a phone, where nothing is wider than the screen', async () => {
    const cluster = await openBlocked(['cp-2/two', 'w-1/three'], Number.POSITIVE_INFINITY);
    await page.getByRole('heading', { name: 'How it stands' }).waitFor();
    await page.getByRole('heading', { name: 'The last day' }).waitFor();
    for (const how of ['light', 'dark', 'phone'] as const) {
      await look(how);
      expect(await brokenRules(page), how).toEqual([]);
      expect(await inPage<number>('document.documentElement.scrollWidth - innerWidth'), how).toBeLessThanOrEqual(0);
      await page.getByRole('button', { name: 'Skip w-1/three …' }).click();
      expect(await brokenRules(page), `${how}, with a question`).toEqual([]);
      await page.keyboard.press('Escape');
    }
    await page.goto(dashboard.address);
    await page.getByRole('link', { name: cluster, exact: true }).waitFor();
    for (const how of ['light', 'dark', 'phone'] as const) {
      await look(how);
      expect(await brokenRules(page), `${how}, all clusters`).toEqual([]);
    }
  });

  it('is small: 300 KB at most, all of it from its own server', async () => {
    await openBlocked();
    const loaded = await inPage<[string, number][]>(`
      [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter(({ name }) => !name.includes('/api/'))
        .map(({ name, transferSize }) => [new URL(name).origin, transferSize])`);
    expect(loaded.length).toBeGreaterThan(10);
    expect(new Set(loaded.map(([origin]) => origin))).toEqual(new Set([new URL(dashboard.address).origin]));
    const bytes = loaded.reduce((sum, [, size]) => sum + size, 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(300_000);
  });
});
