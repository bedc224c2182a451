import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { at, BLOCKED, blocked, done } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
const stacked = join(examples, 'clusters', 'stacked.yaml');

/** Runs an example as a person would, and gives what it prints. */
async function run(name: string, argv: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const { main } = await import(join(examples, 'scripts', name));
  const code = await main(argv, (line: string) => lines.push(line));
  return { code, lines };
}

function withEngine(engine: ScriptedEngine): void {
  // What was imported before has the real engine inside.
  vi.resetModules();
  vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
}

// Should one of them reach for a real server all the same, it fails instead of starting an install.
vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');

describe('the example scripts', () => {
  it('plan.ts prints the steps of every example cluster', async () => {
    const files = (await readdir(join(examples, 'clusters'))).filter((file) => file.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const { code, lines } = await run('plan.ts', [join(examples, 'clusters', file)]);
      expect(code).toBe(0);
      expect(lines.at(-1)).toMatch(/^\S+: \d+ steps on \d+ hosts$/);
    }
  });

  it('plan.ts says what is wrong with a file', async () => {
    const { code, lines } = await run('plan.ts', ['/does/not/exist.yaml']);
    expect(code).toBe(2);
    expect(lines[0]).toContain('/does/not/exist.yaml:1:1: ');
  });

  it('install.ts tells of each blocked step once, and how it ends', async () => {
    const result = { cluster: 'demo', changed: 7, unchanged: 1, skipped: [] };
    const end = moment(done(), { status: 'completed', closedAt: at(131), result });
    const engine = new ScriptedEngine([moment(blocked()), moment(blocked()), end]);
    withEngine(engine);
    const { code, lines } = await run('install.ts', [stacked]);
    expect(code).toBe(0);
    expect(lines).toEqual([
      'cp-2/join needs a person: cp-2: kubeadm failed with exit code 1 after 12 s',
      `  ${BLOCKED.hint}`,
      '  then: kubewright retry cp-2/join',
      expect.stringContaining('is installed; 7 steps changed something'),
    ]);
    expect(engine.calls).toEqual(['start on kubewright', 'worker on kubewright', 'leave worker', 'close engine']);
  });

  it('look.ts tells what is in the way', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kubewright-examples-'));
    const file = join(directory, 'cluster.yaml');
    const host = '{ name: cp-1, address: 10.88.0.11, role: control-plane, ssh: { address: 127.0.0.1, port: 1 } }';
    const spec = `{ endpoint: { vip: 10.88.0.100 }, hosts: [${host}] }`;
    await writeFile(
      file,
      `apiVersion: kubewright.dev/v1alpha1\nkind: Cluster\nmetadata: { name: demo }\nspec: ${spec}\n`,
    );
    const { code, lines } = await run('look.ts', [file]);
    await rm(directory, { recursive: true });
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^cp-1\/preflight: KW2\d\d /);
    expect(lines.at(-1)).toMatch(/^demo: \d+ steps, 0 to do, \d+ in the way$/);
  });

  it('import nothing but the package', async () => {
    for (const file of await readdir(join(examples, 'scripts'))) {
      const text = await readFile(join(examples, 'scripts', file), 'utf8');
      const modules = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1]);
      expect(new Set(modules)).toEqual(new Set(['kubewright']));
    }
  });
});
