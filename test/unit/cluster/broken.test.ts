import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { parse as parseYaml, stringify } from 'yaml';
import { canonicalJson } from '../../../src/cluster/hash.js';
import { type LoadedCluster, loadCluster, parseCluster } from '../../../src/cluster/load.js';
import { formatProblem, isClusterFileError } from '../../../src/cluster/problem.js';
import { clusterJsonSchema } from '../../../src/cluster/schema/json-schema.js';

const EXAMPLES = join(import.meta.dirname, '../../../examples/clusters');
const VALID = readdirSync(EXAMPLES)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(join(EXAMPLES, name), 'utf8'));
const OPTIONS = { path: 'cluster.yaml', directory: EXAMPLES };

/**
 * A few thousand files in all, the same each time, so that no change is blamed for what another one left to be found. More
 * and others by KUBEWRIGHT_FUZZ_RUNS and KUBEWRIGHT_FUZZ_SEED.
 */
const RUNS = Number(process.env.KUBEWRIGHT_FUZZ_RUNS ?? 1000);
const SEED = Number(process.env.KUBEWRIGHT_FUZZ_SEED ?? 1);
const NO_HURRY = 600_000;

const directory = mkdtempSync(join(tmpdir(), 'kubewright-broken-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** The promise: a whole cluster, or problems at places that exist, in lines that fit on a terminal. Nothing else, ever. */
function expectPromise(outcome: LoadedCluster | { error: unknown }, text: string): void {
  if (!('error' in outcome)) {
    // canonicalJson throws for what JSON cannot hold, and leaves out what is undefined.
    expect(JSON.parse(canonicalJson(outcome.cluster))).toStrictEqual(outcome.cluster);
    return;
  }
  const { error } = outcome;
  if (!isClusterFileError(error)) throw error;
  expect(error.problems.some((problem) => problem.severity === 'error')).toBe(true);
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  for (const problem of error.problems) {
    if (problem.file !== OPTIONS.path) continue;
    const line = lines[problem.line - 1];
    expect(line, `${problem.line}:${problem.column} of ${lines.length} lines`).toBeDefined();
    expect(problem.column).toBeGreaterThanOrEqual(1);
    expect(problem.column).toBeLessThanOrEqual((line?.length ?? 0) + 1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(formatProblem(problem)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]|\[object |undefined|NaN|Symbol\(/);
  }
}

function attempt(text: string): LoadedCluster | { error: unknown } {
  try {
    return parseCluster(text, OPTIONS);
  } catch (error) {
    return { error };
  }
}

type Container = Record<string | number, unknown>;

/** Every place in a tree, as its container and key. */
function placesIn(value: unknown): { container: Container; key: string | number }[] {
  if (typeof value !== 'object' || value === null) return [];
  const container = value as Container;
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => [{ container, key }, ...placesIn(container[key])]);
}

/** Any UTF-16 code units, halves of surrogate pairs too. */
const junk = (maxLength: number) =>
  fc.array(fc.nat({ max: 0xffff }), { maxLength }).map((units) => String.fromCharCode(...units));

const scalar = fc.oneof(
  fc.constantFrom(
    '',
    '~',
    'x',
    '10.88.0.100',
    '10.88.0.0/24',
    '::1',
    'control-plane',
    'etcd',
    'v1.31.0',
    '-1',
    'no',
    '0x1f',
  ),
  fc.constantFrom(null, true, false, 0, -1, 1.5, 255, 6443, 65536, 1e21),
  junk(20),
  fc.integer(),
  fc.double(),
);
const anything = fc.oneof(
  { weight: 3, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.array(fc.tuple(junk(5), scalar), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
);

/** A slip in the structure: a key deleted, replaced, renamed, moved under another, or doubled in a list. */
const slip = fc.record({
  place: fc.nat(),
  other: fc.nat(),
  kind: fc.constantFrom('delete', 'replace', 'rename', 'move', 'repeat', 'wrap'),
  value: anything,
  name: fc.oneof(junk(8), fc.constantFrom('adress', 'password', '__proto__', 'constructor', 'ip', 'vip', 'name')),
});
type Slip = typeof slip extends fc.Arbitrary<infer T> ? T : never;

function applySlip(root: unknown, { place, other, kind, value, name }: Slip): void {
  const places = placesIn(root);
  const target = places[place % places.length];
  const source = places[other % places.length];
  if (target === undefined || source === undefined) return;
  const { container, key } = target;
  const before = container[key];
  if (kind === 'replace') container[key] = value;
  else if (kind === 'wrap') container[key] = [before];
  else if (kind === 'move') container[key] = structuredClone(source.container[source.key]);
  else if (kind === 'repeat' && Array.isArray(container)) container.push(structuredClone(before));
  else {
    if (kind === 'rename')
      Object.defineProperty(container, name, { value: before, enumerable: true, configurable: true, writable: true });
    delete container[key];
  }
}

/** A slip of the pen in the text itself. */
const scratch = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('delete-line', 'repeat-line', 'indent-line', 'cut', 'insert', 'delete-character'),
  garbage: fc.oneof(
    junk(6),
    fc.constantFrom('\t', ': ', '- ', '*a', '&a ', '{', '[', '"', '\r', '---\n', '<<: ', '!!x ', '\u0000'),
  ),
});
type Scratch = typeof scratch extends fc.Arbitrary<infer T> ? T : never;

function applyScratch(text: string, { at, kind, garbage }: Scratch): string {
  if (kind.endsWith('-line')) {
    const lines = text.split('\n');
    const index = at % lines.length;
    const line = lines[index] ?? '';
    lines.splice(index, 1, ...(kind === 'delete-line' ? [] : kind === 'repeat-line' ? [line, line] : [` ${line}`]));
    return lines.join('\n');
  }
  const index = at % (text.length + 1);
  if (kind === 'cut') return text.slice(0, index);
  return text.slice(0, index) + (kind === 'insert' ? garbage : '') + text.slice(index + (kind === 'insert' ? 0 : 1));
}

const base = fc.nat({ max: VALID.length - 1 }).map((index) => VALID[index] ?? '');

it(
  'a slip in the structure is a located message',
  () => {
    const validate = new Ajv({ unicodeRegExp: true, strict: false }).compile(clusterJsonSchema());
    fc.assert(
      fc.property(base, fc.array(slip, { minLength: 1, maxLength: 4 }), (valid, slips) => {
        const root = parseYaml(valid) as unknown;
        for (const one of slips) applySlip(root, one);
        const text = stringify(root);
        const outcome = attempt(text);
        expectPromise(outcome, text);
        // Editors must not refuse what Kubewright takes.
        if (!('error' in outcome)) expect(validate(root), JSON.stringify(validate.errors)).toBe(true);
      }),
      { numRuns: RUNS, seed: SEED },
    );
  },
  NO_HURRY,
);

it(
  'a slip of the pen is a located message',
  () => {
    fc.assert(
      fc.property(base, fc.array(scratch, { minLength: 1, maxLength: 4 }), (valid, scratches) => {
        const text = scratches.reduce(applyScratch, valid);
        expectPromise(attempt(text), text);
      }),
      { numRuns: RUNS, seed: SEED },
    );
  },
  NO_HURRY,
);

it(
  'bytes that were never a cluster.yaml are a located message',
  async () => {
    const path = join(directory, 'cluster.yaml');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(base, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 })).map(([valid, at, garbage]) => {
        const whole = Buffer.from(valid);
        const index = at % whole.length;
        return Buffer.concat([whole.subarray(0, index), garbage, whole.subarray(index)]);
      }),
      fc.jsonValue().map((value) => Buffer.from(stringify(value))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        writeFileSync(path, content);
        const outcome = await loadCluster(path).catch((error: unknown) => ({ error }));
        expectPromise(outcome, Buffer.from(content).toString());
      }),
      { numRuns: RUNS / 4, seed: SEED },
    );
  },
  NO_HURRY,
);
