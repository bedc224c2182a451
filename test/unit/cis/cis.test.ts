import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { strictPermissions } from '../../../src/activities/kubeadm/host-files.js';
import { renderInitScript } from '../../../src/activities/kubeadm/init-script.js';
import { renderJoinScript } from '../../../src/activities/kubeadm/join/script.js';
import type { Cluster, ClusterHost } from '../../../src/cluster/types.js';
import { CHECKS } from './checks.js';
import { exampleOf, runningOf } from './kubeadm.js';

const hardened = await exampleOf('hardened');
const failing = (cluster: Cluster, scored?: boolean): string[] => {
  const running = runningOf(cluster);
  return CHECKS.filter((check) => !check.passes(running) && check.scored === (scored ?? check.scored)).map(
    ({ id }) => id,
  );
};

/** Of files on a host, which no test without one can look at: kubeadm's etcd runs as root, and has no user of its own. */
const ON_HOSTS = ['1.1.12'];

describe("kube-bench's checks on the hardened example", () => {
  it('pass, all of those that it counts', () => expect(failing(hardened, true)).toEqual([]));

  it('fail at most five times, each explained in docs/security.md', () => {
    const failed = [...ON_HOSTS, ...failing(hardened)];
    expect(failed).toEqual(['1.1.12', '1.2.1', '1.2.9', '1.2.11', '4.2.9']);
    const page = readFileSync(join(import.meta.dirname, '../../../docs/security.md'), 'utf8');
    for (const id of failed) expect(page, id).toMatch(new RegExp(`^\\| ${id.replaceAll('.', '\\.')} \\|`, 'm'));
  });

  it('are those that fail without hardening: the test can tell', async () => {
    expect(failing(await exampleOf('minimal'), true)).toEqual([
      '1.2.5',
      '1.2.15',
      '1.2.16',
      '1.2.17',
      '1.2.18',
      '1.2.19',
      '1.2.30',
      '1.3.2',
      '1.4.1',
    ]);
  });

  it('hold for files of the kubelet that kubeadm leaves open to everybody (4.1.1 and 4.1.9)', () => {
    const [first, second] = hardened.hosts as [ClusterHost, ClusterHost];
    const worker = hardened.hosts.find(({ role }) => role === 'worker') as ClusterHost;
    const closing = strictPermissions(hardened);
    expect(closing).toContain('/var/lib/kubelet/config.yaml');
    expect(closing).toContain('/etc/systemd/system/kubelet.service.d/10-kubeadm.conf');
    const joins = [second, worker].map((host) => renderJoinScript(hardened, host, Buffer.from('a CA'), []));
    for (const script of [renderInitScript(hardened, first, []), ...joins]) expect(script.endsWith(closing)).toBe(true);
    const open: Cluster = { ...hardened, security: {} };
    expect(strictPermissions(open)).toBe('');
  });
});
