import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { oneLine } from './edited-file.js';
import type { Installed } from './installed.js';

/** Somebody's own file, which every boot would read after Kubewright's: a person is asked (KW451). */
const IN_THE_WAY = '/etc/sysctl.d/zzz-mine.conf';

/** A colleague with a Temporal server of his own, while a run of the first server waits for a person in the middle of it. */
export function expectOneWriter(get: () => Installed): void {
  test('an install from a second Temporal server is refused by name until the first one’s run has ended', async () => {
    const cluster = get();
    const { clusterFile } = cluster.lab.files;
    const worker = cluster.lab.host('w-1');
    const state = await mkdtemp(join(tmpdir(), 'kubewright-second-'));
    const second = (args: string[]) => cluster.kubewright(args, { state, allowFailure: true });
    const fingerprints = () => Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));
    try {
      await worker.exec(`echo 'net.ipv4.ip_forward = 0' >${IN_THE_WAY}`);
      const first = await cluster.kubewright(['install', '--no-wait', '--json', clusterFile], { allowFailure: true });
      expect(first.exitCode, first.all?.slice(-3_000)).toBe(3);
      expect(first.stdout).toContain('KW451');
      const run = /"runId":"([^"]+)"/.exec(first.stdout)?.[1] ?? 'no run';

      const before = await fingerprints();
      const refused = await second(['install', '--no-wait', clusterFile]);
      expect(refused.exitCode, refused.all?.slice(-3_000)).toBe(3);
      expect(oneLine(refused.all ?? '')).toMatch(
        new RegExp(`KW590.*another run is changing it: run ${run} of cluster/${cluster.lab.name} \\(by `),
      );
      expect(await fingerprints()).toEqual(before);

      await worker.exec(`rm ${IN_THE_WAY}`);
      await cluster.kubewright(['abort', '--cluster', cluster.lab.name, '--reason', 'a colleague wants to']);
      await second(['abort', '--cluster', cluster.lab.name]);
      const granted = await second(['install', '--no-wait', clusterFile]);
      expect(granted.exitCode, granted.all?.slice(-3_000)).toBe(0);
      const { stdout } = await worker.exec('grep ^state= /var/lib/kubewright/lease');
      expect(stdout.trim()).toBe('state=released');
    } finally {
      await worker.exec(`rm -f ${IN_THE_WAY}`);
      await second(['server', 'stop']);
      await rm(state, { recursive: true, force: true });
    }
  });
}
