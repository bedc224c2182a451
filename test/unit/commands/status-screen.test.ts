import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadCluster } from '../../../src/cluster/load.js';
import type { Cluster } from '../../../src/cluster/types.js';
import { fileHere } from '../../../src/commands/support/file-here.js';
import { KubewrightError } from '../../../src/errors.js';
import { blocked, done, preparing } from '../terminal/snapshots.js';
import { AT, reportOf } from '../terminal/status/known.js';
import { moment, ScriptedEngine } from './engine.js';
import { runCommand } from './run.js';

const text = (name: string, version: string) => `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: ${name} }
spec:
  endpoint: { vip: 10.88.0.100 }
  kubernetes: { version: ${version} }
  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane }
`;

let directory = '';
let file = '';
let cluster: Cluster;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-status-'));
  file = join(directory, 'cluster.yaml');
  await writeFile(file, text('demo', '1.34.3'));
  cluster = (await loadCluster(file)).cluster;
});
afterAll(() => rm(directory, { recursive: true }));

// Should the command reach for a real server all the same, it fails instead of showing something.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

async function status(engine: ScriptedEngine, ...options: string[]) {
  vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
  return await runCommand(['status', ...options], { env });
}

/** An engine that knows all of a cluster of one host. */
function known(run = moment(done(), { status: 'completed' })): ScriptedEngine {
  const engine = new ScriptedEngine([run]);
  const seen = {
    virtualIpHolders: ['cp-1'],
    etcdLeader: 'cp-1',
    nodes: [{ ready: true, kubelet: 'v1.34.3', names: ['cp-1'] }],
  };
  engine.news = { report: reportOf(cluster, [], seen) };
  engine.known = { applied: { from: 'record', cluster, at: AT, generation: 3, build: '0.2.0' } };
  return engine;
}

describe('status of one cluster', () => {
  it('is an operation that ended well in a line, and what is known besides on one screen', async () => {
    const { stdout, stderr, code } = await status(known(), 'demo', '--exit-code');
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('demo  installed  8 of 8 steps  2 m 11 s');
    expect(lines).toContain('endpoint  10.88.0.100:8443, held by cp-1');
    expect(lines.at(-1)).toBe('  ✓ cp-1  10.88.0.11  v1.34.3  virtual IP, etcd leader');
    expect(lines.length).toBeLessThan(24);
    expect(code).toBe(0);
    expect(stderr).not.toContain('not known');
  });

  it('is all of an operation that has not, blocked steps first', async () => {
    const { stdout, code } = await status(known(moment(blocked())), 'demo', '--exit-code');
    expect(stdout).toMatch(/^demo {2}blocked .*\n✗ cp-2\/join {2}blocked for/);
    expect(stdout).toContain('\n\nhealth    ✓ healthy');
    expect(code).toBe(3);
    expect((await status(known(moment(preparing())), 'demo', '--exit-code')).code).toBe(4);
  });

  it('says so where Temporal knows of no operation', async () => {
    const engine = known();
    engine.known = { ...engine.known, run: undefined };
    const { stdout, code } = await status(engine, 'demo', '--exit-code');
    expect(stdout).toMatch(/^demo {2}Temporal knows of no operation that has changed it\nhealth/);
    expect(code).toBe(0);
    const { objects } = await status(engine, 'demo', '--json');
    expect(objects.map(({ type }) => type)).toEqual(['cluster', 'end']);
  });

  it('gives programs the same facts', async () => {
    const { objects } = await status(known(), 'demo', '--json');
    expect(objects.map(({ type }) => type)).toEqual(['install', 'cluster', 'end']);
    expect(objects[1]).toMatchObject({
      cluster: 'demo',
      state: 'well',
      endpoint: '10.88.0.100:8443',
      virtualIpHolders: ['cp-1'],
      etcdLeader: 'cp-1',
      seenAt: AT,
      hosts: [{ name: 'cp-1', role: 'control-plane', ready: true, kubelet: 'v1.34.3', codes: [] }],
      applied: { from: 'record', version: '1.34.3', hosts: 1, generation: 3 },
      notKnown: [],
    });
  });

  it('exits with 2 for scripts where it cannot be asked at all, and with 1 otherwise', async () => {
    const engine = known();
    engine.unreadable = new KubewrightError('KW523', 'There is no install of cluster demo', { hint: 'Start one.' });
    const asked = await status(engine, 'demo', '--exit-code');
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('error KW523: There is no install of cluster demo');
    expect((await status(engine, 'demo')).code).toBe(1);
    const { objects } = await status(engine, 'demo', '--exit-code', '--json');
    expect(objects).toMatchObject([
      { type: 'error', code: 'KW523' },
      { type: 'end', exitCode: 2 },
    ]);
  });
});

describe('status of a file', () => {
  it('is that of its cluster, with what the file says otherwise', async () => {
    const edited = join(directory, 'edited.yaml');
    await writeFile(edited, text('demo', '1.34.4'));
    for (const how of [[edited], ['-f', edited]]) {
      const { stdout } = await status(known(), ...how);
      expect(stdout).toContain(`file      ${edited} differs from what was applied: 1 difference\n`);
      expect(stdout).toContain('kubernetes.version: "1.34.3" → "1.34.4"');
    }
    expect((await status(known(), file)).stdout).toContain(`file      ${file} says what was applied\n`);
  });

  it('that is wrong is wrong input, and so are two of them', async () => {
    const wrong = join(directory, 'wrong.yaml');
    await writeFile(wrong, text('demo', 'new'));
    expect((await status(known(), wrong)).code).toBe(2);
    expect((await status(known(), wrong, '-f', file)).stderr).toContain('error KW116');
    expect((await status(known(), join(directory, 'none.yaml'))).code).toBe(2);
  });
});

describe('the cluster.yaml of the current directory', () => {
  it('is compared where it is the cluster’s', async () => {
    expect(await fileHere('demo', directory)).toMatchObject({ path: 'cluster.yaml', cluster: { name: 'demo' } });
    expect(await fileHere('other', directory)).toBeUndefined();
    expect(await fileHere('demo', tmpdir())).toBeUndefined();
  });

  it('that cannot be read is told and no error: nobody has asked for it', async () => {
    const broken = await mkdtemp(join(directory, 'broken-'));
    await writeFile(join(broken, 'cluster.yaml'), 'kind: [');
    const told = await fileHere('demo', broken);
    expect(told).toMatchObject({ path: 'cluster.yaml', unread: expect.stringContaining('cannot be read') });
    expect(told).not.toHaveProperty('cluster');
  });
});
