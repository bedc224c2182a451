import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attributePairs,
  BLOCKED,
  BLOCKED_STEPS,
  isCutShort,
} from '../../../../src/workflows/engine/search-attributes.js';

function valuesOf(blocked: string[], format = 2): Record<string, unknown> {
  const present = { count: blocked.length, names: blocked };
  const pairs = attributePairs({ state: 'blocked', phase: 'preflight', blocked: present }, format);
  return Object.fromEntries(pairs.map(({ key, value }) => [key.name, value]));
}

describe('the search attributes of a run with blocked steps', () => {
  it('name them and say how many they are', () => {
    expect(valuesOf(['a/b', 'c/d'])).toMatchObject({
      [BLOCKED.name]: 2,
      [BLOCKED_STEPS.name]: ['a/b', 'c/d'],
    });
  });

  it('have none where nothing is blocked: a query for those that are not null finds the stuck', () => {
    expect(valuesOf([])).toMatchObject({ [BLOCKED.name]: 0, [BLOCKED_STEPS.name]: null });
  });

  it('fit into what a server takes, however many there are and however long their names', () => {
    const name = fc.stringMatching(/^[a-z0-9.-]{1,63}\/[a-z-]{1,20}$/);
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 500 }), (blocked) => {
        const named = valuesOf(blocked)[BLOCKED_STEPS.name] as string[];
        // frontend.searchAttributesSizeOfValueLimit: a workflow that writes more is terminated.
        expect(Buffer.byteLength(JSON.stringify(named))).toBeLessThan(2_048);
        const left = isCutShort(named) ? Number(named.at(-1)?.slice(1)) : 0;
        expect(named.length - (left > 0 ? 1 : 0) + left).toBe(blocked.length);
        expect(blocked).toEqual(expect.arrayContaining(named.filter((each) => !each.startsWith('+'))));
      }),
    );
  });

  it('are those of 0.1.0 in a run that 0.1.0 began: its namespace may not know the count', () => {
    expect(Object.keys(valuesOf(['a/b'], 1))).not.toContain(BLOCKED.name);
  });
});
