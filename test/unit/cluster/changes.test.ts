import { describe, expect, it } from 'vitest';
import { KEY_CHANGES, keysOfSteps } from '../../../src/cluster/changes.js';
import { clusterJsonSchema } from '../../../src/cluster/schema/json-schema.js';
import { planInstall } from '../../../src/plan/install.js';
import { clusterOf } from '../cluster-fixture.js';
import { systemdCluster } from '../components/etcd/systemd/fixture.js';
import { keysOf } from './reference.js';

describe('what becomes of an edited key', () => {
  it('is decided for every key of the schema, and for no other', () => {
    const known = keysOf(clusterJsonSchema()).map(({ path }) => path);
    expect(Object.keys(KEY_CHANGES).sort()).toEqual([...known].sort());
  });

  it('names the operation that is to come exactly where an edit is refused', () => {
    for (const [key, { change, later }] of Object.entries(KEY_CHANGES)) {
      expect(later !== undefined, key).toBe(change === 'refused');
    }
  });

  it('names a step of the plan where another step compares the key', () => {
    const plans = [clusterOf({ controlPlanes: 1, workers: 0 }), systemdCluster()].map(planInstall);
    const verbs = plans.flat().map(({ id }) => id.split('/')[1]);
    expect(keysOfSteps().length).toBeGreaterThan(0);
    for (const { key, step } of keysOfSteps()) {
      expect(verbs, key).toContain(step);
      expect(KEY_CHANGES[key]?.change, key).toBe('applied');
    }
  });
});
