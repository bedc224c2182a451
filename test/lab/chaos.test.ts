import { afterEach, describe, expect, test } from 'vitest';
import type { Topology } from '../../lab/hosts/index.js';
import { type Chaos, interruptedInstall } from '../chaos/interrupted-install.js';
import { Installed } from './support/installed.js';

/**
 * The part of `npm run test:chaos` that every change has to pass: one rotation at the boundaries, one inside the long
 * steps, one interruption with external etcd. KUBEWRIGHT_CHAOS_ROTATION chooses another rotation.
 */
const ROTATION = Number(process.env.KUBEWRIGHT_CHAOS_ROTATION ?? 0);

let cluster: Installed;

async function interrupted(topology: Topology, chaos: Omit<Chaos, 'rotation' | 'seed'>): Promise<void> {
  cluster = await Installed.up('chaos', topology);
  const say = (line: string): void => console.log(`    ${line}`);
  say(`${topology}, ${chaos.moments}, rotation ${ROTATION}, seed ${ROTATION + 1}`);
  const report = await interruptedInstall(cluster, { rotation: ROTATION, seed: ROTATION + 1, ...chaos, log: say });
  const { install, checks } = report.seconds;
  say(`${report.interruptions.length} interruptions, ${report.merged} boundaries merged with them`);
  say(`install ${install.toFixed(0)} s, looking at it from outside ${checks.toFixed(0)} s`);
  expect(report.interruptions.flatMap(({ changed }) => changed)).toEqual([]);
  expect(report.broken, report.lastLines).toEqual([]);
  expect(report.exitCode).toBe(0);
  expect(report.interruptions.length).toBeGreaterThan(0);
}

afterEach(async () => {
  await cluster?.down();
});

describe('an install that is interrupted again and again comes to its end without a person', () => {
  test('at every boundary between steps', { timeout: 1_200_000 }, async () => {
    await interrupted('stacked', { moments: 'boundaries' });
  });

  test('inside the long steps: packages, images, init, join', { timeout: 900_000 }, async () => {
    await interrupted('stacked', { moments: 'inside' });
  });

  test('with external etcd, while a member starts', { timeout: 900_000 }, async () => {
    await interrupted('external-etcd', { moments: 'boundaries', only: (step) => step === 'etcd-2/etcd' });
  });
});
