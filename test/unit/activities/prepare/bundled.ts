import { rmSync } from 'node:fs';
import { afterAll } from 'vitest';
import type { Cluster } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { FakeHost } from './fake-host.js';
import { layBundle } from './fixtures.js';

/** What a step has to do of which nothing is known. */
export const TO_DO = { done: false, found: '', changes: [] };

/** A control plane and a worker that are made of a bundle; it is there until the tests of the file are over. */
export function bundledCluster(): Cluster {
  const directory = layBundle();
  afterAll(() => rmSync(directory, { recursive: true }));
  return clusterOf(
    { controlPlanes: 1, workers: 1 },
    { packages: { source: 'bundle', bundle: directory, proxy: null } },
  );
}

/** A host of the bundle's architecture. */
export function newHost(): FakeHost {
  const fake = new FakeHost();
  fake.answers.set('uname -m', 'x86_64\n');
  return fake;
}
