import { describe, expect, it } from 'vitest';
import { unknown, yes } from '../../../../src/activities/answers.js';
import { awaitFaultless, type Faults, faultsFrom } from '../../../../src/activities/verify/await-state.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, fakeHosts } from '../fake-hosts.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 0 });

const IMPATIENT = { patienceMs: -1, everyMs: 1 };
const PATIENT = { patienceMs: 60_000, everyMs: 1 };

/** Waits while each look finds the next of these. */
function waitedFor(looks: Faults[], patience: typeof PATIENT): Promise<string[]> {
  const context = contextAmong(fakeHosts(cluster), cluster, 'verifyNodes', null);
  const left = [...looks];
  return awaitFaultless(context, 'whether all is well', async () => left.shift() ?? yes(['one look more']), patience);
}

describe('a wait until nothing is wrong', () => {
  it.each<[string, Faults[]]>([
    ['at once', [yes([])]],
    ['after a while', [yes(['a fault']), yes([])]],
    ['when somebody can be asked at last', [unknown('no host answers'), yes([])]],
  ])('%s', async (_name, looks) => {
    expect(await waitedFor(looks, PATIENT)).toEqual([]);
  });

  it('that was too short tells what is wrong', async () => {
    expect(await waitedFor([yes(['a fault'])], IMPATIENT)).toEqual(['a fault']);
  });

  it('at whose end nobody can be asked is made again: that is no fault', async () => {
    await expect(waitedFor([unknown('no host answers')], IMPATIENT)).rejects.toMatchObject({
      code: 'KW433',
      transient: true,
      message: expect.stringContaining('cannot tell whether all is well: no host answers'),
    });
  });
});

describe('what several hosts were asked', () => {
  it.each<[string, string[], string[], Faults]>([
    ['all is well', [], [], yes([])],
    [
      'one was not asked, the others have seen nothing',
      [],
      ['w-1 cannot be reached'],
      unknown('w-1 cannot be reached'),
    ],
    ['one was not asked, another has seen a fault', ['a'], ['b'], yes(['b', 'a'])],
  ])('%s', (_name, seen, unasked, faults) => {
    expect(faultsFrom(seen, unasked)).toEqual(faults);
  });
});
