import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAsBefore, type HostStates, reset, statesOf } from './support/given-back.js';
import { Installed } from './support/installed.js';
import { expectPostConditions } from './support/post-conditions.js';

const run = promisify(execFile);

describe('a reset of a whole cluster', () => {
  let cluster: Installed;
  let before: HostStates;

  beforeAll(async () => {
    cluster = await Installed.up('reset', 'stacked', { hosts: 2 });
    before = await statesOf(cluster);
    await cluster.install();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  test('refuses another name than the cluster’s, and changes nothing then', async () => {
    const { clusterFile } = cluster.lab.files;
    const args = ['reset', clusterFile, '--yes-reset', 'other'];
    const { exitCode, all } = await cluster.kubewright(args, { allowFailure: true });
    expect([exitCode, all]).toEqual([2, expect.stringContaining('KW103')]);
    await cluster.fetchKubeconfig();
    expect(await cluster.takesWrite('still-there')).toBe(true);
  });

  test('gives the hosts back as they were', async () => {
    const { all } = await reset(cluster);
    console.log(
      `reset: ${all
        ?.split('\n')
        .filter((line) => /differ|Left to do/.test(line))
        .join('\n')}`,
    );
    await expectAsBefore(cluster, before);
  });

  test('has kept a backup that openssl opens, with the keys and a snapshot of etcd', async () => {
    const backups = join(cluster.state, 'backups');
    const [name = ''] = await readdir(backups);
    const folder = join(backups, name);
    const manifest = await readFile(join(folder, 'backup.json'), 'utf8');
    const { files } = JSON.parse(manifest) as { files: { snapshot: string; file: string }[] };
    expect(files.map(({ snapshot }) => snapshot)).toEqual(['saved']);
    const file = join(folder, files[0]?.file ?? '');
    const key = join(folder, 'backup.key');
    const archive = join(cluster.state, 'opened.tar.gz');
    const cipher = ['-aes-256-cbc', '-pbkdf2', '-iter', '600000', '-pass', `file:${key}`];
    await run('openssl', ['enc', '-d', ...cipher, '-in', file, '-out', archive]);
    const { stdout } = await run('tar', ['-tzf', archive]);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['etc/kubernetes/pki/ca.key', './etcd-snapshot.db']));
  });

  describe('and the hosts install again', () => {
    beforeAll(async () => {
      await cluster.install();
      await cluster.fetchKubeconfig();
    });

    expectPostConditions(() => cluster);
  });

  test('a worker that is off is left, named, and to be wiped; the others go on', async () => {
    await cluster.lab.host('w-1').powerOff();
    const { exitCode, all } = await reset(cluster);
    expect(exitCode).toBe(0);
    expect(all).toMatch(/Left to do: wipe w-1 \(/);
    await expectAsBefore(cluster, before, ['cp-1']);
  });
});
