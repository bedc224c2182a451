import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

const DIRECTORY = fileURLToPath(new URL('../../../docs/images/', import.meta.url));

/**
 * Writes a picture for docs/operations.md when `KUBEWRIGHT_SCREENSHOTS=1`. Stack traces are left out: they show where the
 * machine that took the picture keeps its files.
 *
 * @param height how much of the page is shown, from its top, in pixels
 */
export async function picture(page: Page, name: string, height = 860): Promise<void> {
  if (process.env.KUBEWRIGHT_SCREENSHOTS !== '1') return;
  await mkdir(DIRECTORY, { recursive: true });
  const traces = page.getByText('Stack Trace', { exact: true }).locator('xpath=..');
  await page.screenshot({
    path: `${DIRECTORY}${name}.png`,
    clip: { x: 0, y: 0, width: 1280, height },
    mask: [traces],
    maskColor: '#ffffff',
    animations: 'disabled',
  });
}
