import { expect, it } from 'vitest';
import { withinLimit } from '../../../src/activities/limit.js';
import { planInstall } from '../../../src/plan/install.js';
import { clusterOf } from '../cluster-fixture.js';

const [step] = planInstall(clusterOf({ controlPlanes: 1, workers: 1 }));
if (step === undefined) throw new Error('a plan has steps');

it('a step that does not heed its limit fails shortly before it, with what it last said', async () => {
  let told: AbortSignal | undefined;
  const hanging = withinLimit(
    step,
    200,
    () => 'waiting for a mount',
    async (limit) => {
      told = limit;
      await new Promise(() => {});
    },
  );
  await expect(hanging).rejects.toMatchObject({
    code: 'KW434',
    host: 'cp-1',
    step: 'cp-1/preflight',
    transient: false,
    output: 'waiting for a mount',
    message: expect.stringContaining('limit of 10 minutes'),
  });
  expect(told?.aborted).toBe(true);
});

it('one that comes to its end before is left alone', async () => {
  await expect(
    withinLimit(
      step,
      60_000,
      () => '',
      async () => 'done',
    ),
  ).resolves.toBe('done');
  const failing = withinLimit(
    step,
    60_000,
    () => '',
    async () => Promise.reject(new TypeError('broken')),
  );
  await expect(failing).rejects.toThrow('broken');
});
