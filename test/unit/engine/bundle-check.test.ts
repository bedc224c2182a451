import { describe, expect, it } from 'vitest';
import { checkBundle } from '../../../src/engine/worker/bundle-check.js';

function bundle(...modules: string[]): string {
  const all = [
    './dist/src/workflows/engine/run.js',
    './node_modules/@temporalio/workflow/lib/index.js',
    '?1a2b',
    ...modules,
  ];
  return `${all.map((name) => `/***/ "${name}":\n`).join('')}//# sourceMappingURL=data:${'x'.repeat(2_000_000)}`;
}

describe('checking a workflow bundle', () => {
  it('takes workflow code and the SDK, and does not count the source map', () => {
    expect(checkBundle(bundle())).toEqual([]);
  });

  it.each([
    './node_modules/zod/index.js',
    './node_modules/ssh2/lib/index.js',
    './node_modules/@temporalio/worker/lib/index.js',
    './node_modules/@temporalio/common/node_modules/protobufjs/index.js',
    './dist/src/hosts/index.js',
    './src/activities/index.ts',
    'node:fs',
    'external "crypto"',
  ])('refuses %s', (name) => {
    expect(checkBundle(bundle(name.replaceAll('"', "'")))).toHaveLength(1);
  });

  it('refuses what is too large, and what is no bundle of ours', () => {
    expect(checkBundle(`${bundle()}\nconst x = '${'y'.repeat(1_000_000)}';`)[0]).toMatch(/KiB, more than/);
    expect(checkBundle('')).toEqual(['it does not hold the engine']);
  });
});
