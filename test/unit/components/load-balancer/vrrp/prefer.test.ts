import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hashOf } from '../../../../../src/cluster/hash.js';
import { parseCluster } from '../../../../../src/cluster/load.js';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { renderKeepalived } from '../../../../../src/components/load-balancer/haproxy-keepalived/render/keepalived.js';
import { etcdHosts } from '../../../../../src/components/registry/plan.js';
import { brief, edited, parse, problemsOf } from '../../../cluster/helpers.js';
import { clusterOf } from '../../../cluster-fixture.js';

const EXAMPLES = join(import.meta.dirname, '../../../../../examples/clusters');

function priorities(prefer: string[] | undefined): Record<string, number> {
  const cluster = clusterOf({ controlPlanes: 3, workers: 0 });
  if (prefer !== undefined) Object.assign(cluster.endpoint, { prefer });
  const of = (host: ClusterHost) => Number(/^ {4}priority (\d+)$/m.exec(renderKeepalived(cluster, host, 'eth0'))?.[1]);
  return Object.fromEntries(cluster.hosts.map((host) => [host.name, of(host)]));
}

describe('control planes that are preferred', () => {
  test('have the higher priorities, and the others follow as they stand in the file', () => {
    expect(priorities(undefined)).toEqual({ 'cp-1': 250, 'cp-2': 210, 'cp-3': 170 });
    expect(priorities(['cp-3'])).toEqual({ 'cp-3': 250, 'cp-1': 210, 'cp-2': 170 });
    expect(priorities(['cp-2', 'cp-3', 'cp-1'])).toEqual({ 'cp-2': 250, 'cp-3': 210, 'cp-1': 170 });
  });

  const withPrefer = (names: string) =>
    edited(['    vip: 10.88.0.100\n', `    vip: 10.88.0.100\n    prefer: ${names}\n`]);

  test('are control planes, each once', () => {
    expect(parse(withPrefer('[cp-2]')).endpoint).toMatchObject({ prefer: ['cp-2'] });
    expect(problemsOf(withPrefer('[cp-2, w-1, cp-2, Nobody]')).map(brief)).toEqual([
      '8:20 unknown-host spec.endpoint.prefer[1]',
      '8:25 twice-preferred spec.endpoint.prefer[2]',
      expect.stringMatching(/^8:31 bad-value spec\.endpoint\.prefer\[3\]/),
    ]);
  });

  test('are not in a cluster whose file names none: its hash stays what it was', () => {
    const plain = parse(edited());
    expect(plain.endpoint).not.toHaveProperty('prefer');
    for (const nothing of ['null', '[]']) expect(hashOf(parse(withPrefer(nothing)))).toBe(hashOf(plain));
  });
});

test('one line of an example decides between etcd on hosts of its own and on the control planes', () => {
  const text = readFileSync(join(EXAMPLES, 'vip-notify.yaml'), 'utf8');
  const stacked = text.replace('role: &etcd etcd', 'role: &etcd worker');
  const changed = text.split('\n').filter((line, index) => line !== stacked.split('\n')[index]);
  expect(changed).toHaveLength(1);
  const holders = (of: string) => {
    const { cluster, warnings } = parseCluster(of, { path: 'vip-notify.yaml', directory: EXAMPLES });
    expect(warnings).toEqual([]);
    return [cluster.etcd.topology, ...etcdHosts(cluster).map(({ name }) => name)];
  };
  expect(holders(text)).toEqual(['external', 'etcd-1', 'etcd-2', 'etcd-3']);
  expect(holders(stacked)).toEqual(['stacked', 'master-1', 'master-2', 'master-3']);
});
