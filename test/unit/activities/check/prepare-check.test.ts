import { describe, expect, it } from 'vitest';
import { prepareCheck } from '../../../../src/activities/check/prepareCheck.js';
import type { Hosts } from '../../../../src/hosts/types.js';
import { planCheck } from '../../../../src/plan/check.js';
import { clusterOf } from '../../cluster-fixture.js';

const known = clusterOf({ controlPlanes: 1, workers: 1 });
const { signal } = new AbortController();
const during = { operation: 'install', workflowId: 'cluster/demo', since: 1 } as const;

/** Hosts that count who asks for them, and answer nobody. */
function silentHosts(): { hosts: Hosts; asked: string[] } {
  const asked: string[] = [];
  const get = (name: string): never => {
    asked.push(name);
    throw new Error(`${name} does not answer`);
  };
  return { hosts: { get } as unknown as Hosts, asked };
}

describe('a check that is planned while something changes the cluster', () => {
  it('is left out where a schedule has begun it, and no host hears of it', async () => {
    const { hosts, asked } = silentHosts();
    const planned = await prepareCheck({ known }, { hosts, signal, readBackground: async () => ({ during }) });
    expect(planned).toEqual({ skipped: during });
    expect(asked).toEqual([]);
  });

  it('is made where a person waits for it, and says what was under way', async () => {
    const { hosts } = silentHosts();
    const readBackground = async () => ({ during, healthAttribute: true });
    const planned = await prepareCheck({ known, asked: true }, { hosts, signal, readBackground });
    expect(planned).toMatchObject({ check: { during, healthAttribute: true }, plan: planCheck(known) });
  });
});
