import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import { parseCluster } from '../../../src/cluster/load.js';
import { clusterJsonSchema } from '../../../src/cluster/schema/json-schema.js';
import { POD_NETWORKS } from '../../../src/components/registry/schema.js';
import { keysOf, referenceTables } from './reference.js';

const DOCS = join(import.meta.dirname, '../../../docs');
const REFERENCE = join(DOCS, 'cluster-yaml.md');
const text = readFileSync(REFERENCE, 'utf8');

const directory = mkdtempSync(join(tmpdir(), 'kubewright-documents-'));
mkdirSync(join(directory, 'patches'));
writeFileSync(join(directory, 'patches', 'kube-scheduler.yaml'), 'metadata: {}\n');
writeFileSync(
  join(directory, 'kubernetes.asc'),
  '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBGMHoXc\n-----END PGP PUBLIC KEY BLOCK-----\n',
);
writeFileSync(join(directory, 'authorization.yaml'), 'kind: AuthorizationConfiguration\n');
afterAll(() => rmSync(directory, { recursive: true }));

describe('docs/cluster.schema.json', () => {
  it('is what the schema says today (run vitest with -u to write it anew)', async () => {
    const schema = `${JSON.stringify(clusterJsonSchema(), null, 2)}\n`;
    await expect(schema).toMatchFileSnapshot(join(DOCS, 'cluster.schema.json'));
  });

  it('is a valid schema that describes every key', () => {
    const schema = clusterJsonSchema();
    expect(() => new Ajv({ unicodeRegExp: true, strict: true, allowUnionTypes: true }).compile(schema)).not.toThrow();
    expect(keysOf(schema).filter((key) => key.schema.description === undefined)).toEqual([]);
  });

  it('has every default', () => {
    const keys = new Map(keysOf(clusterJsonSchema()).map((key) => [key.path, key.schema]));
    for (const [section, defaults] of Object.entries(DEFAULTS)) {
      for (const [key, value] of Object.entries(defaults)) {
        expect(keys.get(`spec.${section}.${key}`)?.default, `${section}.${key}`).toEqual(value);
      }
    }
  });
});

describe('docs/cluster-yaml.md', () => {
  it('has the reference of today (run vitest with -u to write it anew)', async () => {
    const between = /(<!-- reference:begin -->\n)[\s\S]*(<!-- reference:end -->)/;
    expect(text).toMatch(between);
    const fresh = text.replace(
      between,
      (_, begin: string, end: string) => `${begin}\n${referenceTables(clusterJsonSchema())}\n${end}`,
    );
    await expect(fresh).toMatchFileSnapshot(REFERENCE);
  });

  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

  it('shows files that are taken without a word', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(2);
    for (const block of blocks) {
      const { warnings } = parseCluster(block, { path: 'docs/cluster-yaml.md', directory });
      expect(warnings).toEqual([]);
    }
  });

  it('shows every key', () => {
    // In one file or another: keys of two choices exclude each other.
    const shown = new Set(blocks.flatMap((block) => pathsIn(parseYaml(block))));
    // Both are shown, but in two hosts: one excludes the other.
    // And keys of other choices than the file makes are refused in it.
    const foreign = Object.values(POD_NETWORKS).flatMap(({ keys }) =>
      Object.keys(keys).map((key) => `spec.network.${key}`),
    );
    const missing = keysOf(clusterJsonSchema()).filter(
      ({ path }) => !shown.has(path) && !foreign.includes(path) && !/^spec\.ssh\..*keyFiles$/.test(path),
    );
    expect(missing.map((key) => key.path)).toEqual([]);
  });
});

/** Paths of all keys, with `[]` for every index. */
function pathsIn(value: unknown, prefix = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, `${prefix}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [path, ...pathsIn(inner, path)];
  });
}
