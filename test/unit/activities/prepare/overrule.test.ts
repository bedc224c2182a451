import { describe, expect, it } from 'vitest';
import { checkHost } from '../../../../src/activities/prepare/checkHost.js';
import { bySeverity, described } from '../../../../src/activities/prepare/checks/index.js';
import { overrule, reasonFor } from '../../../../src/activities/prepare/checks/overrule.js';
import { carryOut } from '../../../../src/activities/step.js';
import type { OverruledCheck } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextOn, FakeHost } from './fake-host.js';

const ignoring = (...ignore: Partial<OverruledCheck>[]) => ({
  preflight: { ignore: ignore.map((one) => ({ code: 'KW335', hosts: null, reason: 'because', ...one })) },
});

describe('a finding', () => {
  it.each([
    ['of another code', ignoring({ code: 'KW310' }), ['w-1'], undefined],
    ['of one host that is named', ignoring({ hosts: ['w-1'] }), ['w-1'], 'because'],
    ['of one host that is not named', ignoring({ hosts: ['w-2'] }), ['w-1'], undefined],
    ['of any host', ignoring({}), ['w-1'], 'because'],
    ['between two, one of them named', ignoring({ hosts: ['w-1'] }), ['w-1', 'cp-1'], 'because'],
    ['between two, none of them named', ignoring({ hosts: ['w-2'] }), ['w-1', 'cp-1'], undefined],
    ['between three, two of which are left', ignoring({ hosts: ['w-1'] }), ['w-1', 'cp-1', 'cp-2'], undefined],
    [
      'between three, one of which is left',
      ignoring({ hosts: ['w-1'] }, { hosts: ['cp-1'], reason: 'and so' }),
      ['w-1', 'cp-1', 'cp-2'],
      'because; and so',
    ],
    ['of the worker, for some hosts', ignoring({ hosts: ['w-1'] }), [], undefined],
    ['of the worker, for all', ignoring({}), [], 'because'],
  ])('%s', (_, cluster, hosts, reason) => {
    expect(reasonFor(cluster, 'KW335', hosts)).toBe(reason);
  });

  it('that is overruled is told with its reason, and those that are not stand', () => {
    const problems = ['KW310', 'KW313'].map((code) => ({
      code,
      what: `it has ${code}`,
      hint: 'Mend it.',
      host: 'cp-1',
    }));
    const { errors, warnings } = bySeverity(overrule(ignoring({ code: 'KW310', hosts: ['cp-1'] }), problems));
    expect(errors).toEqual([problems[1]]);
    expect(warnings.map(described)).toEqual(['overruled: KW310 (because): it has KW310']);
    expect(overrule(ignoring({ code: 'KW310', hosts: ['cp-2'] }), problems)).toEqual(problems);
  });
});

describe('the check of a host', () => {
  it('passes when all that it found is overruled, and the step says so', async () => {
    const cluster = { ...clusterOf({ controlPlanes: 1, workers: 0 }), ...everyCodeIgnored() };
    const fake = new FakeHost();
    fake.answers.set('fact', 'facts end');
    const context = contextOn(fake, cluster, 'checkHost');
    const { done, warnings } = await checkHost.probe(context);
    expect(done).toBe(true);
    expect(warnings).toContain('overruled: KW306 (seen): none of its cards has the address 10.88.0.11 (it has none)');
    expect((await carryOut(checkHost, context)).summary).toContain('overruled: KW306');
  });
});

function everyCodeIgnored() {
  const codes = Array.from({ length: 100 }, (_, index) => `KW${300 + index}`);
  return { preflight: { ignore: codes.map((code) => ({ code, hosts: null, reason: 'seen' })) } };
}
