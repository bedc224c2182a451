import { describe, expect, it } from 'vitest';
import { no, unknown, yes } from '../../../../src/activities/answers.js';
import { authorityOf, foreignness, type HostLook } from '../../../../src/activities/reset/whose.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });
const [CP, WORKER] = CLUSTER.hosts as [ClusterHost, ClusterHost];
const CA = 'sha256:aa';

/** A host of the cluster, as the preflight sees it. */
function looked(host: ClusterHost, more: Partial<HostLook> = {}): HostLook {
  const record = { cluster: CLUSTER.name, host: host.name, address: host.address, endpoint: 'e', caFingerprint: CA };
  return { host, owner: yes(record), traces: yes(''), ca: yes(CA), applied: no('none'), before: yes(''), ...more };
}

const bearing = (host: ClusterHost, change: object): HostLook => {
  const { owner, ...rest } = looked(host);
  return { ...rest, owner: owner.is === 'yes' ? yes({ ...owner.value, ...change }) : owner };
};
const problems = (look: HostLook) =>
  foreignness(look, CLUSTER, authorityOf([looked(CP), look])).map(({ code, what }) => `${code} ${what}`);

describe('whose a host is', () => {
  it('is this cluster’s where its record, its authority and what was applied say so', () => {
    expect(problems(looked(WORKER))).toEqual([]);
    // One on which no join has ended well yet has no authority.
    expect(problems({ ...bearing(WORKER, { caFingerprint: null }), ca: no('none') })).toEqual([]);
  });

  it.each([
    ['another name', bearing(WORKER, { cluster: 'other' })],
    ['another host’s name', bearing(WORKER, { host: 'w-9' })],
    ['another authority in its record, of a cluster of the same name', bearing(WORKER, { caFingerprint: 'sha256:bb' })],
    ['another authority on its disk', looked(WORKER, { ca: yes('sha256:bb') })],
    ['what was applied to another cluster', looked(WORKER, { applied: yes('other') })],
  ])('is another cluster’s with %s', (_, look) => {
    expect(problems(look)).toEqual([expect.stringMatching(/^KW393 w-1 is another cluster's/)]);
  });

  it('never was this cluster’s where no record is on a host with a node', () => {
    expect(problems(looked(WORKER, { owner: no('none') }))).toEqual([
      expect.stringMatching(/^KW394 w-1 never belonged/),
    ]);
  });

  it('is no problem of one that is blank, or cannot be reached', () => {
    expect(problems(looked(WORKER, { owner: no('none'), traces: no('none') }))).toEqual([]);
    const silent = unknown('no way to it');
    expect(problems(looked(WORKER, { away: 'no way to it', owner: silent, traces: silent, ca: silent }))).toEqual([]);
  });

  it.each([
    ['the record', looked(WORKER, { owner: unknown('input/output error') })],
    ['whether a node is there', looked(WORKER, { owner: no('none'), traces: unknown('input/output error') })],
  ])('is not taken for a no where %s cannot be told', (_, look) => {
    expect(problems(look)).toEqual([expect.stringMatching(/^KW396 cannot tell of w-1 .*input\/output error$/)]);
  });

  it('goes by the authority of a control plane before that of a worker', () => {
    const worker = bearing(WORKER, { caFingerprint: 'sha256:bb' });
    expect(authorityOf([worker, looked(CP)])).toMatchObject({ ca: CA, host: 'cp-1' });
    expect(authorityOf([worker])).toMatchObject({ ca: 'sha256:bb', host: 'w-1' });
    expect(authorityOf([looked(CP, { owner: unknown('away') })])).toBeUndefined();
  });
});
