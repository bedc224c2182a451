import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refuseTerminal, writeKubeconfig } from '../../../src/commands/support/kubeconfig.js';
import { KubewrightError } from '../../../src/errors.js';
import type { Hosts, RemoteHost } from '../../../src/hosts/types.js';
import { readKubeconfig } from '../../../src/kubeconfig.js';
import { clusterOf } from '../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 2, workers: 1 });
const config = (server: string) =>
  `apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    server: ${server}\n  name: k\n`;
const right = config('https://10.88.0.100:8443');

/** Hosts of which only the two functions that are used do anything. */
function hosts(states: Record<string, { file?: string; ready?: boolean; down?: boolean }>): Hosts {
  const get = (name: string) => {
    const state = states[name] ?? {};
    return {
      name,
      address: '10.88.0.11',
      readFile: async () => {
        if (state.down) throw new KubewrightError('KW201', 'the connection was refused', { host: name });
        return state.file === undefined ? undefined : Buffer.from(state.file);
      },
      run: async () => ({ exitCode: state.ready ? 0 : 1, stdout: '', stderr: '', durationMs: 1 }),
    } as unknown as RemoteHost;
  };
  return { get, close: async () => {} };
}

describe('the kubeconfig', () => {
  it('comes from the first control plane whose API server is ready', async () => {
    const found = await readKubeconfig(
      cluster,
      hosts({ 'cp-1': { down: true }, 'cp-2': { file: right, ready: true } }),
    );
    expect(found).toEqual({ content: right, host: 'cp-2' });
    await expect(readKubeconfig(cluster, hosts({ 'cp-1': { file: right }, 'cp-2': {} }))).rejects.toMatchObject({
      code: 'KW530',
      output: 'cp-1: its API server is not ready\ncp-2: no /etc/kubernetes/admin.conf',
    });
  });

  it('of another cluster is refused', async () => {
    const other = hosts({ 'cp-1': { file: config('https://10.99.0.1:6443'), ready: true } });
    await expect(readKubeconfig(cluster, other)).rejects.toMatchObject({ code: 'KW532', host: 'cp-1' });
  });

  it('does not go to a terminal', () => {
    expect(() => refuseTerminal(true)).toThrow(/not printed on a terminal/);
    expect(() => refuseTerminal(false)).not.toThrow();
  });
});

describe('writing it', () => {
  let directory = '';
  const now = new Date('2026-11-20T12:34:56.789Z');
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubewright-kubeconfig-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('makes a file for its owner alone, and keeps what was there', async () => {
    const target = join(directory, 'config');
    expect(await writeKubeconfig(target, 'one', now)).toEqual({ changed: true, backup: undefined });
    expect((await stat(target)).mode & 0o777).toBe(0o600);
    const second = await writeKubeconfig(target, 'two', now);
    expect(second).toEqual({ changed: true, backup: `${target}.backup-20261120T123456Z` });
    expect(await readFile(target, 'utf8')).toBe('two');
    expect(await readFile(`${target}.backup-20261120T123456Z`, 'utf8')).toBe('one');
    expect((await readdir(directory)).sort()).toEqual(['config', 'config.backup-20261120T123456Z']);
  });

  it('keeps the newest three of what was there, for their owner alone, and nobody else’s copies', async () => {
    const target = join(directory, 'config');
    const mine = `${target}.backup-before-the-move`;
    await writeFile(mine, 'mine');
    await writeFile(target, 'version 0', { mode: 0o644 });
    for (let day = 1; day <= 5; day += 1) {
      await writeKubeconfig(target, `version ${day}`, new Date(`2026-11-0${day}T12:00:00Z`));
    }
    const kept = (await readdir(directory)).filter((name) => /backup-\d/.test(name)).sort();
    expect(kept.map((name) => name.slice(-16, -8))).toEqual(['20261103', '20261104', '20261105']);
    for (const name of kept) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(directory, kept[2] ?? ''), 'utf8')).toBe('version 4');
    expect(await readFile(mine, 'utf8')).toBe('mine');
  });

  it('changes nothing but a mode that is too open when it is the same', async () => {
    const target = join(directory, 'config');
    await writeFile(target, 'one', { mode: 0o644 });
    expect(await writeKubeconfig(target, 'one', now)).toEqual({ changed: false });
    expect(await readdir(directory)).toEqual(['config']);
    expect((await stat(target)).mode & 0o777).toBe(0o600);
  });

  it('leaves no half file where it cannot write', async () => {
    const target = join(directory, 'missing', 'config');
    await expect(writeKubeconfig(target, 'one', now)).rejects.toMatchObject({ code: 'KW533' });
    expect(await readdir(directory)).toEqual([]);
  });
});
