import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** A browser that talks to nobody but the page that is opened: no updates, no reports, no first-run pages. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Long, because the browser shares its cores with a whole cluster. */
export const ACTION_LIMIT_MS = 180_000;

export interface Browser {
  page: Page;
  close(): Promise<void>;
}

/** Why there is no browser on this machine and none can be had; undefined where there is one, or will be. */
export function whyNoBrowser(): string | undefined {
  if (existsSync(CHROMIUM)) return undefined;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) return undefined;
  return `there is no ${CHROMIUM}, and only root on Debian or Ubuntu can install it`;
}

/** Opens Debian's Chromium with a profile of its own; installs it first where it is missing, and says so. */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) await installChromium();
  const profile = await mkdtemp(join(tmpdir(), 'kubewright-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: FLAGS,
    viewport: { width: 1280, height: 860 },
    locale: 'en-US',
    timezoneId: 'UTC',
    colorScheme: 'light',
  });
  context.setDefaultTimeout(ACTION_LIMIT_MS);
  const page = context.pages()[0] ?? (await context.newPage());
  return {
    page,
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

async function installChromium(): Promise<void> {
  console.log('installing the package chromium with apt-get, once');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await execa('apt-get', ['-q', 'update'], { env });
  await execa('apt-get', ['-q', 'install', '--yes', '--no-install-recommends', 'chromium'], { env });
}
