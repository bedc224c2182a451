import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { forgetHost } from '../../../../src/activities/reset/forgetHost.js';
import { resetHost } from '../../../../src/activities/reset/resetHost.js';
import type { StageContext } from '../../../../src/activities/step.js';
import { type OwnerRecord, renderOwner } from '../../../../src/render/owner.js';
import { CA, Leaving } from './leaving.js';

const RECORD = '/etc/kubewright/owner.json';

/**
 * Between the preflight of a reset and a host's turn hours may pass, in which a person waits: a host is replaced, or another cluster takes
 * it. Nothing is undone here: the durable command is only counted.
 */
describe('a host that has changed hands since the preflight', () => {
  let living: Leaving;
  const durable = vi.fn<StageContext['durable']>();
  beforeEach(() => {
    living = new Leaving();
    durable.mockReset();
  });
  afterEach(() => living.hosts.remove());

  const reset = (instead: Partial<StageContext> = {}) =>
    living.carry(resetHost, 'resetHost', 'w-1', { instead: { durable, ...instead } });
  const forget = () => living.carry(forgetHost, 'forgetHost', 'w-1');

  const bearing = (change: Partial<OwnerRecord>) => {
    const record = { cluster: 'demo', host: 'w-1', address: '10.88.0.21', endpoint: 'e', caFingerprint: CA, ...change };
    living.hosts.write('w-1', RECORD, renderOwner(record));
    return renderOwner(record);
  };

  const TAKEN: [string, Partial<OwnerRecord>][] = [
    ['a cluster of another name', { cluster: 'other' }],
    ['a cluster of the same name with another authority', { caFingerprint: 'sha256:bb' }],
    ['another host of the cluster', { host: 'w-2' }],
  ];

  it.each(TAKEN)('is not reset when it is of %s, and keeps its record', async (_, change) => {
    const record = bearing(change);
    await expect(reset()).rejects.toMatchObject({ code: 'KW407', host: 'w-1' });
    // Without a node on it, what is left to be taken is the record alone.
    living.take('w-1', '/etc/kubernetes/kubelet.conf');
    await expect(forget()).rejects.toMatchObject({ code: 'KW407', host: 'w-1' });
    expect(durable).not.toHaveBeenCalled();
    expect(living.hosts.read('w-1', RECORD)).toBe(record);
  });

  it.each(TAKEN)('is asked again right before the act, and may be of %s by then', async (_, change) => {
    const stage: StageContext['stage'] = (name) => {
      if (name === 'apply') bearing(change);
    };
    await expect(reset({ stage })).rejects.toMatchObject({ code: 'KW407' });
    expect(durable).not.toHaveBeenCalled();
  });

  it('bears in mind that its owner had an authority there before, which is back', async () => {
    living.take('w-1', '/etc/kubernetes/kubelet.conf');
    living.hosts.write('w-1', '/etc/kubernetes/pki/ca.crt', 'of the owner');
    expect((await forget()).outcome).toBe('changed');
  });
});
