import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { LOOK_MS as SERVER_LOOK_MS } from '../../../src/engine/server/keeper.js';
import { STOP_GRACE_MS } from '../../../src/engine/server/record.js';
import { LOOK_MS as WORKER_LOOK_MS } from '../../../src/engine/worker/unused.js';

// test/workflow/killed-client.test.ts shows that both end, with looks that come faster.
it('what a killed client leaves has ended within a minute: missed by the next look, drained, stopped', async () => {
  const worker = await readFile(fileURLToPath(new URL('../../../src/worker.ts', import.meta.url)), 'utf8');
  const [, drain = ''] = /shutdownForceTime: '(\d+) seconds'/.exec(worker) ?? [];
  expect(Number(drain)).toBeGreaterThan(0);
  expect(WORKER_LOOK_MS + Number(drain) * 1000).toBeLessThanOrEqual(60_000);
  expect(SERVER_LOOK_MS + STOP_GRACE_MS).toBeLessThanOrEqual(60_000);
});
