import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { check, told } from './health.js';
import { type Installed, withSpec } from './installed.js';

const FOLDER = '/var/backups/etcd';

/** A check tells that snapshots of etcd are missing, or too old, and nothing any more when there is a new one; and it follows members. */
export function expectSnapshotsWatched(get: () => Installed): void {
  test('a check finds that there is no snapshot of etcd, or an old one, and has counted what each member does', async () => {
    const cluster = get();
    const [first, second] = cluster.controlPlanes();
    if (first === undefined || second === undefined) throw new Error('there are no two control planes');
    const { clusterFile } = cluster.lab.files;
    const file = join(clusterFile, '..', 'snapshots.yaml');
    const health = { snapshots: { files: `${FOLDER}/*.db`, maxAge: '2h' } };
    await writeFile(file, withSpec(await readFile(clusterFile, 'utf8'), { health }));
    const found = async () => {
      const report = await check(cluster, { file });
      return { report, snapshots: told(report.findings.filter(({ code }) => code === 'KW669')) };
    };
    try {
      expect((await found()).snapshots).toMatch(/there is no snapshot of etcd/);
      await second.exec(`mkdir -p ${FOLDER} && echo old >${FOLDER}/old.db && touch -d '3 hours ago' ${FOLDER}/old.db`);
      expect((await found()).snapshots).toMatch(
        new RegExp(`is 3 h old, more than 2 h: ${FOLDER}/old\\.db on ${second.name}`),
      );
      await first.exec(
        `mkdir -p ${FOLDER} && : >${FOLDER}/empty.db && cp /var/lib/etcd/member/snap/db ${FOLDER}/new.db`,
      );
      const { report, snapshots } = await found();
      expect(snapshots).toBe('');
      expect(report.seen?.snapshots).toContainEqual(
        expect.objectContaining({ host: first.name, file: `${FOLDER}/new.db` }),
      );
      // Metrics of a real etcd: all that is asked for is there.
      expect(report.findings.filter(({ code }) => code === 'KW642')).toEqual([]);
      const members = report.seen?.members ?? [];
      expect(members.map(({ host }) => host).sort()).toEqual(cluster.controlPlanes().map(({ name }) => name));
      for (const { host, samples } of members) expect(samples.at(-1)?.[1], `fsyncs on ${host}`).toBeGreaterThan(0);
    } finally {
      await Promise.all([first, second].map((host) => host.exec(`rm -rf ${FOLDER}`, { allowFailure: true })));
      await rm(file, { force: true });
    }
  }, 300_000);
}
