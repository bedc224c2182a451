import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { containerdRecipe, runcRecipe } from '../../../src/artifacts/recipes.js';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import { MINORS, minorOf, PROVEN_VERSIONS } from '../../../src/cluster/minors.js';

/** docs/versions.md says no more than what is so. */
const ROOT = join(import.meta.dirname, '../../..');
const text = readFileSync(join(ROOT, 'docs/versions.md'), 'utf8');

/** Rows of the table below a header whose first cell is this. */
function table(first: string): string[][] {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.startsWith(`| ${first} |`));
  const end = lines.findIndex((line, index) => index > at && !line.startsWith('|'));
  return lines.slice(at + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/versions.md', () => {
  it('has the minors of the code, with what belongs to each', () => {
    expect(table('minor')).toEqual(
      MINORS.map(({ minor, supportedUntil, oldestContainerd, takesCgroupV1 }) => [
        `1.${minor}`,
        supportedUntil,
        oldestContainerd,
        takesCgroupV1 ? 'taken' : 'only where the file says so',
      ]),
    );
    expect(text).toContain(`the default is ${DEFAULTS.kubernetes.version}`);
    expect(text).toContain(`containerd ${containerdRecipe.version.slice(1)} and runc ${runcRecipe.version.slice(1)}`);
  });

  const combinations = table('Kubernetes');
  const tested = combinations.filter(([, , , , proof = '']) => proof.startsWith('test/'));

  it.each(combinations)('%s on %s, %s, cgroup %s: %s', (version, _distribution, _architecture, _cgroups, proof) => {
    expect(minorOf(version), version).toBeDefined();
    if (proof.startsWith('test/')) {
      expect(existsSync(join(ROOT, proof)), proof).toBe(true);
      // A test installs one release, and that is the one of which no command warns.
      expect(PROVEN_VERSIONS).toContain(version);
    } else {
      expect(proof).toMatch(/^not run here$|^by hand, \d{4}-\d{2}-\d{2}: ./);
    }
  });

  it('leaves no minor out, and proves what commands take without a warning', () => {
    const minors = new Set(combinations.map(([version = '']) => version.split('.').slice(0, 2).join('.')));
    expect([...minors].sort()).toEqual(MINORS.map(({ minor }) => `1.${minor}`));
    expect([...new Set(tested.map(([version]) => version))].sort()).toEqual([...PROVEN_VERSIONS].sort());
    expect(PROVEN_VERSIONS).toContain(DEFAULTS.kubernetes.version);
  });
});
