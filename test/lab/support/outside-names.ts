import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { check, told } from './health.js';
import { type Installed, withSpec } from './installed.js';

/**
 * Names that `health.outsideNames` asks for are resolved, or told. The lab has no world outside: what is resolved is a name of the cluster,
 * as it stands, and what is not is one that never exists (RFC 2606).
 */
export function expectNamesAskedFor(get: () => Installed): void {
  test('a check tells of a name that no pod resolves, and nothing of one that all do', async () => {
    const cluster = get();
    const { clusterFile } = cluster.lab.files;
    const file = join(clusterFile, '..', 'outside-names.yaml');
    const namesFound = async (outsideNames: string[]) => {
      await writeFile(file, withSpec(await readFile(clusterFile, 'utf8'), { health: { outsideNames } }));
      const { findings } = await check(cluster, { file });
      return told(findings.filter(({ code }) => code === 'KW689'));
    };
    try {
      expect(await namesFound(['kubernetes.default.svc.cluster.local'])).toBe('');
      expect(await namesFound(['kubernetes.default.svc.cluster.local', 'nowhere.invalid'])).toMatch(
        /^KW689 cluster: nowhere\.invalid cannot be resolved from pods/,
      );
    } finally {
      await rm(file, { force: true });
    }
  }, 300_000);
}
