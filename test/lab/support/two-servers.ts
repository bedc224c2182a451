import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { edited, oneLine } from './edited-file.js';
import type { Installed } from './installed.js';

const SETTING = 'vm.no_such_setting';

/** A colleague with a Temporal server of his own, while a run of the first server waits for a person in the middle of it. */
export function expectOneWriter(get: () => Installed): void {
  test('an install from a second Temporal server is refused by name until the first one’s run has ended', async () => {
    const cluster = get();
    const state = await mkdtemp(join(tmpdir(), 'kubewright-second-'));
    const second = (args: string[]) => cluster.kubewright(args, { state, allowFailure: true });
    const { path, remove } = await edited(cluster, (file) => {
      file.spec.sysctls = { ...file.spec.sysctls, [SETTING]: '1' };
    });
    try {
      const first = await cluster.kubewright(['install', '--no-wait', '--json', path], { allowFailure: true });
      expect(first.exitCode, first.all?.slice(-3_000)).toBe(3);
      const run = /"runId":"([^"]+)"/.exec(first.stdout)?.[1] ?? 'no run';

      const refused = await second(['install', '--no-wait', cluster.lab.files.clusterFile]);
      expect(refused.exitCode, refused.all?.slice(-3_000)).toBe(3);
      expect(oneLine(refused.all ?? '')).toMatch(new RegExp(`KW590.*run ${run} of cluster/${cluster.lab.name} \\(by `));
      // It has changed nothing: the first one's setting is where it was put.
      expect(await settingsOf(cluster)).toEqual(cluster.lab.hosts.map(() => `${SETTING} = 1`));

      await cluster.kubewright(['abort', '--cluster', cluster.lab.name, '--reason', 'a colleague wants to']);
      await second(['abort', '--cluster', cluster.lab.name]);
      const granted = await second(['install', '--no-wait', cluster.lab.files.clusterFile]);
      expect(granted.exitCode, granted.all?.slice(-3_000)).toBe(0);
      expect(await settingsOf(cluster)).toEqual(cluster.lab.hosts.map(() => ''));
      for (const host of cluster.lab.hosts) {
        expect((await host.exec('grep ^state= /var/lib/kubewright/lease')).stdout.trim(), host.name).toBe(
          'state=released',
        );
      }
    } finally {
      await remove();
      await second(['server', 'stop']);
      await rm(state, { recursive: true, force: true });
    }
  });
}

async function settingsOf(cluster: Installed): Promise<string[]> {
  const read = `grep -hs ${SETTING} /etc/sysctl.d/zz-kubewright.conf || true`;
  return await Promise.all(cluster.lab.hosts.map(async (host) => (await host.exec(read)).stdout.trim()));
}
