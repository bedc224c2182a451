import { afterAll, beforeAll, describe } from 'vitest';
import { Installed } from './installed.js';
import { expectPostConditions } from './post-conditions.js';

/** A bundle that is not in the cache is built first. */
const BUILD_MS = 2_400_000;

/** Three control planes and a worker of a Kubernetes that is not the default one, on fresh hosts: what holds of every cluster holds. */
export function expectInstalls(version: string): void {
  describe(`an install of Kubernetes ${version}`, () => {
    let cluster: Installed;

    beforeAll(async () => {
      cluster = await Installed.up(`v${version.replaceAll('.', '-')}`, 'stacked', { hosts: 4, kubernetes: version });
      await cluster.install();
      await cluster.fetchKubeconfig();
    }, BUILD_MS);
    afterAll(async () => {
      await cluster?.down();
    });

    expectPostConditions(() => cluster);
  });
}
