import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import type { Engine } from '../../src/engine/index.js';

/** What a visit of the page has cost. */
export interface Visit {
  /** First contentful paint, in milliseconds after the navigation began. */
  paintMs: number;
  /** When the steps of the cluster stood on the page, likewise. */
  stepsMs: number;
}

/** What the page's files weigh, in bytes. */
export interface Weight {
  files: number;
  /** As they go over the wire: the program compresses nothing. */
  plain: number;
  /** As gzip would make them. */
  gzip: number;
}

/** Looks at a cluster as who opens its address anew; the page's server allows no cache. */
export async function visit(page: Page, address: string, cluster: string): Promise<Visit> {
  const { origin, hash } = new URL(address);
  await page.goto('about:blank');
  // The token is kept in the tab after the first visit, so the second address is that of the cluster itself.
  await page.goto(`${origin}/${hash}`);
  await page.getByRole('link', { name: cluster, exact: true }).waitFor();
  await page.goto('about:blank');
  await page.goto(`${origin}/#/clusters/${cluster}`);
  await page.locator('[data-step]').first().waitFor();
  // Told by the page's own clock: what this process waits for comes a moment later.
  const [paintMs, stepsMs] = await page.evaluate<[number, number]>(`new Promise((resolve) => {
    const paint = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN;
    resolve([paint, performance.now()]);
  })`);
  return { paintMs, stepsMs };
}

/** Notes from now on when each step was first shown as done, by the clock of this machine. */
export async function noteSteps(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    globalThis.shownAt = {};
    const ends = () => [...document.querySelectorAll('[data-state=done]')].map(({ dataset }) => dataset.step);
    const before = new Set(ends());
    const look = () => {
      for (const step of ends()) if (!before.has(step)) shownAt[step] ??= Date.now();
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  })()`);
}

/** Milliseconds from the moment at which Temporal noted the end of a step to that at which the page showed it; ascending. */
export async function delays(page: Page, engine: Engine, workflowId: string): Promise<number[]> {
  const shown = await page.evaluate<Record<string, number>>('shownAt');
  const { events } = await engine.client.workflow.getHandle(workflowId).fetchHistory();
  const steps = new Map<string, string>();
  const found: number[] = [];
  for (const { eventId, eventTime, ...event } of events ?? []) {
    const { activityId } = event.activityTaskScheduledEventAttributes ?? {};
    if (activityId) steps.set(String(eventId), activityId);
    const done = event.activityTaskCompletedEventAttributes;
    const step = done ? steps.get(String(done.scheduledEventId)) : undefined;
    const at = step === undefined ? undefined : shown[step];
    if (at === undefined || !eventTime) continue;
    found.push(at - (Number(eventTime.seconds) * 1_000 + (eventTime.nanos ?? 0) / 1e6));
  }
  return found.sort((a, b) => a - b);
}

/** All files that a visit loads, without what is told of clusters. */
export async function weigh(page: Page): Promise<Weight> {
  const names = await page.evaluate<string[]>(`
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .map(({ name }) => name.replace(/#.*/, '')).filter((name) => !name.includes('/api/'))`);
  const bodies = await Promise.all([...new Set(names)].map(async (name) => (await fetch(name)).arrayBuffer()));
  const sum = (sizes: number[]): number => sizes.reduce((all, size) => all + size, 0);
  return {
    files: bodies.length,
    plain: sum(bodies.map(({ byteLength }) => byteLength)),
    gzip: sum(bodies.map((body) => gzipSync(new Uint8Array(body)).length)),
  };
}
