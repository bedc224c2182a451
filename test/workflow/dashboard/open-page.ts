import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, type TestContext } from 'vitest';
import type { Dashboard } from '../../../src/dashboard/server.js';
import { type Browser, openBrowser, whyNoBrowser } from '../../browser.js';
import { notRunHere } from '../../unit/not-run.js';
import { engine } from '../fresh-worker.js';
import { compilePage, servePage } from './served-page.js';

/** The tab in which all tests of a file look at the page. */
export let page: Page;
/** The server of this test. */
export let dashboard: Dashboard;
/** What the browser has complained of in this test: errors of scripts, and what the policy has kept from loading. */
export let complaints: string[] = [];

/** A browser for the file, and a page of its own for each test. */
export function useBrowser(): void {
  let browser: Browser | undefined;
  let compiled: Awaited<ReturnType<typeof compilePage>> | undefined;
  const missing = whyNoBrowser();
  beforeAll(async () => {
    if (missing !== undefined) return;
    compiled = await compilePage();
    browser = await openBrowser();
    page = browser.page;
    page.setDefaultTimeout(30_000);
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await compiled?.remove();
  });
  beforeEach(async (context) => {
    if (missing !== undefined || compiled === undefined) notRunHere(context as TestContext, missing ?? '');
    complaints = [];
    dashboard = await servePage(engine, compiled.folder);
    await look('light');
  });
  afterEach(async ({ task }) => {
    if (missing !== undefined) return;
    // What a person would tell who reports a fault of the page.
    if (task.result?.state === 'fail') console.log(complaints, await page.locator('body').textContent());
    await page.goto('about:blank');
    await dashboard.close();
  });
}

/** How somebody looks at it. */
export async function look(how: 'light' | 'dark' | 'phone'): Promise<void> {
  await page.emulateMedia({ colorScheme: how === 'dark' ? 'dark' : 'light' });
  await page.setViewportSize(how === 'phone' ? { width: 375, height: 740 } : { width: 1280, height: 860 });
}

/** Opens the page of a cluster as a person does: by the address that was printed, then by its name. */
export async function openCluster(name: string): Promise<void> {
  await page.goto(dashboard.address);
  await page.getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { name: new RegExp(`^${name}\\b`), level: 1 }).waitFor();
}

/** What an expression comes to in the page: these files are compiled for Node, which knows no document. */
export function inPage<Value>(expression: string): Promise<Value> {
  return page.evaluate<Value>(expression);
}
