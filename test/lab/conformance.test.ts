import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureConformanceTests } from '../../lab/artifacts/kubernetes-tests.js';
import { DEFAULTS } from '../../src/cluster/defaults.js';
import { ALL_NAMES, AREAS, CONFORMANCE } from './conformance/list.js';
import { conformanceNames, type Outcome, runConformance } from './conformance/run.js';
import { Installed } from './support/installed.js';

/** The suite is built before there is a cluster, which needs the processors: ten minutes on two of them, or more beside others. */
const SETUP_MS = 2_400_000;
const SUITE_MS = 960_000;

// A lab and a file as `npm run demo` has them, under another name: the demo's own lab may be somebody's.
describe('Kubernetes’ conformance suite, a fixed part of it, against the demo’s cluster', () => {
  let program: string;
  let cluster: Installed;
  let outcomes: Map<string, Outcome>;

  beforeAll(async () => {
    program = await ensureConformanceTests(DEFAULTS.kubernetes.version, (line) => console.log(`    ${line}`));
    cluster = await Installed.up('conformance', 'stacked');
    await cluster.install();
    await cluster.fetchKubeconfig();
  }, SETUP_MS);
  afterAll(async () => {
    await cluster?.down();
  });

  test('each test of the part is one that this release counts as conformance', async () => {
    expect(await conformanceNames(program)).toEqual(expect.arrayContaining(ALL_NAMES));
  });

  describe('of which each test runs and passes', () => {
    beforeAll(async () => {
      const run = await runConformance(program, cluster, ALL_NAMES);
      outcomes = run.outcomes;
      for (const [name, { state, seconds }] of outcomes) console.log(`    ${seconds.toFixed(0)} s  ${name}: ${state}`);
      if (run.exitCode !== 0) console.log(run.output);
    }, SUITE_MS);

    test.each(AREAS)('%s', (area) => {
      const seen = CONFORMANCE[area].map((name) => `${name}: ${outcomes.get(name)?.state}`);
      expect(seen).toEqual(CONFORMANCE[area].map((name) => `${name}: passed`));
    });
  });
});
