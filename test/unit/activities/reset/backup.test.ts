import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packScript, parsePacked, pieceOf, TOLD } from '../../../../src/activities/reset/backup/script.js';
import { ITERATIONS, sealFile } from '../../../../src/activities/reset/backup/sealed-file.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { here, lay, program, read, useOneHost } from '../check/host/one-host.js';
import { durable } from './one-host-reset.js';

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });
const [CP, WORKER] = CLUSTER.hosts as [ClusterHost, ClusterHost];

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubewright-sealed-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
useOneHost();

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

describe('a backup', () => {
  it('is opened by openssl with its passphrase, and is for its owner alone', async () => {
    const file = join(folder, 'cp-1.tar.gz.enc');
    const sealed = await sealFile(file, 'a pass phrase', pieces('one ', 'two ', 'three'));
    const open = (pass: string) =>
      execFileSync(
        'openssl',
        ['enc', '-d', '-aes-256-cbc', '-pbkdf2', '-iter', String(ITERATIONS), '-pass', 'env:PASS', '-in', file],
        {
          env: { ...process.env, PASS: pass },
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      );
    expect(open('a pass phrase').toString()).toBe('one two three');
    expect(() => open('another')).toThrow();
    expect(readFileSync(file).includes('two')).toBe(false);
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect(sealed).toEqual({
      sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
      contentSha256: createHash('sha256').update('one two three').digest('hex'),
      size: statSync(file).size,
    });
  });

  it('is not there when a piece of it does not come', async () => {
    const broken = async function* () {
      yield Buffer.from('one');
      throw new Error('the connection broke');
    };
    await expect(sealFile(join(folder, 'cp-1.tar.gz.enc'), 'x', broken())).rejects.toThrow('the connection broke');
    expect(await readdir(folder)).toEqual([]);
  });
});

/** What is in the archive that was packed, as its paths on a host. */
function packed(): string[] {
  const list = execFileSync('tar', ['-tzf', here(pieceOf(0))], { encoding: 'utf8' });
  const root = here('/').replace(/^\/|\/$/g, '');
  return list
    .split('\n')
    .map((path) => path.replace(root, ''))
    .filter((path) => path !== '' && !path.endsWith('/'));
}

describe('what of a host is kept', () => {
  const layControlPlane = () => {
    lay('/etc/kubernetes/pki/ca.key', 'key');
    lay('/etc/kubernetes/manifests/etcd.yaml', 'x');
    lay('/etc/kubernetes/admin.conf', 'x');
    lay('/etc/kubewright/applied.json', '{}');
    lay('/var/lib/etcd/member/snap/db', 'database');
  };

  it('are its keys, manifests and kubeconfigs, and a snapshot of etcd', async () => {
    layControlPlane();
    program('etcdctl', 'for last; do :; done; echo snapshot >"$last"');
    await durable(packScript(CLUSTER, CP));
    const told = parsePacked(read(TOLD));
    expect(told).toMatchObject({ snapshot: 'saved', pieces: 1 });
    const archive = readFileSync(here(pieceOf(0)));
    expect(told?.sha256).toBe(createHash('sha256').update(archive).digest('hex'));
    expect(told?.size).toBe(archive.length);
    expect(packed().sort()).toEqual([
      './etcd-snapshot.db',
      '/etc/kubernetes/admin.conf',
      '/etc/kubernetes/manifests/etcd.yaml',
      '/etc/kubernetes/pki/ca.key',
      '/etc/kubewright/applied.json',
    ]);
  });

  it('are the files of a database whose member does not answer, and that is said', async () => {
    layControlPlane();
    program('etcdctl', 'exit 1');
    await durable(packScript(CLUSTER, CP));
    expect(parsePacked(read(TOLD))?.snapshot).toBe('copied');
    expect(packed()).toContain('./etcd-member-snap.db');
  });

  it('is no database of a host without a member', async () => {
    lay('/etc/kubewright/owner.json', '{}');
    await durable(packScript(CLUSTER, WORKER));
    expect(parsePacked(read(TOLD))?.snapshot).toMatch(/^none: /);
    expect(packed()).toEqual(['/etc/kubewright/owner.json']);
  });

  it('is not known where the host has told half of it', () => {
    expect(parsePacked('snapshot saved\npacked 00')).toBeUndefined();
  });
});
