import { describe, expect, it } from 'vitest';
import { planCheck } from '../../../src/plan/check.js';
import { standing } from '../../../src/plan/depth.js';
import { clusterOf } from '../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 1 });
const quick = planCheck(cluster, 'quick');
const hosts = cluster.hosts.map(({ name }) => name);
const finding = (code: string, host: string | null, look?: string) => ({
  code,
  host,
  evidence: '',
  hint: '',
  look,
  since: 5,
});

describe('a quick check', () => {
  it('looks at all that a deep one does, but what needs a pod', () => {
    const ids = quick.map(({ id }) => id);
    expect(planCheck(cluster).filter(({ id }) => !ids.includes(id))).toMatchObject([
      { id: 'cluster/dns' },
      { id: 'cluster/pod-network' },
    ]);
    expect(quick).toEqual(planCheck(cluster).filter(({ id }) => ids.includes(id)));
  });

  it('leaves what a deep one has found where it does not look, with the time of that', () => {
    const dns = finding('KW483', 'w-1', 'cluster/dns');
    const seen = [dns, finding('KW646', 'w-1', 'w-1/host'), finding('KW603', 'cp-1')];
    expect(standing({ at: 10, findings: seen }, quick, hosts)).toEqual({ at: 10, findings: [{ ...dns, seenAt: 10 }] });
  });

  it('leaves nothing of a host that is no longer in the cluster', () => {
    const findings = [finding('KW483', 'w-9', 'cluster/dns'), finding('KW665', null, 'cluster/dns')];
    expect(standing({ at: 10, findings }, quick, hosts).findings).toMatchObject([{ code: 'KW665' }]);
  });
});
