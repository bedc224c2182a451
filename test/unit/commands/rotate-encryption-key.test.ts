import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadCluster } from '../../../src/cluster/load.js';
import type { StartOptions } from '../../../src/engine/index.js';
import { at, done } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { runCommand } from './run.js';

const CLUSTER = `
apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  security: { secretsEncryption: secretbox }
  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane }
    - { name: w-1, address: 10.88.0.21, role: worker }
`;

let directory = '';
let file = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-rotate-'));
  file = join(directory, 'cluster.yaml');
  await writeFile(file, CLUSTER);
});
afterAll(() => rm(directory, { recursive: true }));

// Should the command reach for a real server all the same, it fails instead of starting something.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

/** What the run was started with, and what the command said. */
async function rotate(given: string, engine: ScriptedEngine, ...options: string[]) {
  const started: StartOptions[] = [];
  vi.doMock('../../../src/engine/index.js', async (original) => {
    const module = engine.module(await original<object>()) as { startRun(engine: object, run: StartOptions): unknown };
    return {
      ...module,
      startRun: (server: object, run: StartOptions) => {
        started.push(run);
        return module.startRun(server, run);
      },
      readLatestInput: async (_: object, name: string) => ({ cluster: { ...(await loadCluster(file)).cluster, name } }),
    };
  });
  return { ...(await runCommand(['rotate-encryption-key', given, ...options], { env })), started };
}

const finished = () =>
  moment(done(), {
    status: 'completed',
    operation: 'rotate-encryption-key',
    closedAt: at(131),
    result: { cluster: 'demo', changed: 7, unchanged: 1, skipped: [] },
  });

describe('rotate-encryption-key', () => {
  it('starts a rotation of the cluster of a file, and tells its end as one', async () => {
    const { code, stdout, started } = await rotate(file, new ScriptedEngine([finished()]));
    expect(code).toBe(0);
    expect(stdout).toContain('The key rotation of demo is done: 8 steps, 7 of them changed something, in 2 m 11 s.');
    expect(stdout).toContain('key rotation done');
    expect(stdout).not.toContain('install done');
    expect(started).toMatchObject([{ operation: 'rotate-encryption-key', cluster: { name: 'demo' } }]);
    expect(started[0]?.plan.map(({ id }) => id)).toEqual([
      'cluster/preflight',
      'cp-1/second-key',
      'cp-1/first-key',
      'cluster/secrets',
      'cp-1/only-key',
      'cluster/release',
    ]);
  });

  it('takes the name of a cluster for what the latest run of it had', async () => {
    const { code, started } = await rotate('other', new ScriptedEngine([finished()]), '--patience', '2m');
    expect(code).toBe(0);
    expect(started).toMatchObject([{ cluster: { name: 'other' }, patienceMs: 120_000 }]);
  });

  it('calls a rotation that runs already by its name, and says that it keeps its patience', async () => {
    const engine = Object.assign(new ScriptedEngine([finished()]), { attached: true });
    const { stderr } = await rotate(file, engine, '--patience', '2m');
    expect(stderr).toContain('A key rotation of demo runs already');
    expect(stderr).toContain('--patience has no effect: this key rotation runs already');
  });

  it('refuses a cluster without encryption at rest before it asks Temporal for anything', async () => {
    const plain = join(directory, 'plain.yaml');
    await writeFile(plain, CLUSTER.replace(/ {2}security:.*\n/, ''));
    const engine = new ScriptedEngine([]);
    const { code, stderr, started } = await rotate(plain, engine);
    expect(code).toBe(2);
    expect(stderr).toContain('KW103');
    expect(engine.calls).toEqual([]);
    expect(started).toEqual([]);
  });
});
