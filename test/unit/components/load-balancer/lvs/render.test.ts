import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Cluster, ClusterHost } from '../../../../../src/cluster/types.js';
import { renderDirector } from '../../../../../src/components/load-balancer/lvs/render/keepalived.js';
import {
  renderRealServerScript,
  renderRealServerUnit,
} from '../../../../../src/components/load-balancer/lvs/render/real-server.js';
import { lvsCluster } from './lvs-cluster.js';

const GOLDEN = join(import.meta.dirname, 'golden');

function named(cluster: Cluster, name: string): ClusterHost {
  const host = cluster.hosts.find((each) => each.name === name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return host;
}

const director = (name: string, cluster = lvsCluster()) => renderDirector(cluster, named(cluster, name), 'eth0');

describe("a director's keepalived.conf", () => {
  test('of the first of two', async () => {
    await expect(director('lb-1')).toMatchFileSnapshot(join(GOLDEN, 'keepalived-lb-1.conf'));
  });

  test('of the second one differs by name, priority and peer alone', () => {
    const swapped = director('lb-2')
      .replace('router_id lb-2', 'router_id lb-1')
      .replace('priority 210', 'priority 250')
      .replace('unicast_src_ip 10.88.0.72', 'unicast_src_ip 10.88.0.71')
      .replace('        10.88.0.71\n', '        10.88.0.72\n');
    expect(swapped).toBe(director('lb-1'));
  });

  test('of a single one tells nobody of connections, and has no peer', () => {
    const alone = director('lb-1', lvsCluster({ directors: 1 }));
    expect(alone).not.toContain('lvs_sync_daemon');
    expect(alone).not.toContain('unicast');
    expect(alone.match(/real_server/g)).toHaveLength(3);
  });

  test('notices a host without power within three seconds: the next look, two tries and the pause between them', () => {
    const check = /TCP_CHECK \{([^}]*)\}/.exec(director('lb-1'))?.[1] ?? '';
    const seconds = (key: string) => Number(new RegExp(`${key} ([\\d.]+)`).exec(check)?.[1]);
    const tries = 1 + seconds('retry');
    const worst =
      seconds('delay_loop') + tries * seconds('connect_timeout') + seconds('retry') * seconds('delay_before_retry');
    expect(worst).toBeLessThanOrEqual(3);
  });

  test('a director that is silent is replaced within a second: three advertisements, and the skew of the other’s priority', () => {
    const text = director('lb-2');
    const [, interval = ''] = /advert_int ([\d.]+)/.exec(text) ?? [];
    const [, priority = ''] = /priority (\d+)/.exec(text) ?? [];
    expect(3 * Number(interval) + ((256 - Number(priority)) / 256) * Number(interval)).toBeLessThan(1);
  });

  test('has the API servers at their own port, which direct routing does not change', () => {
    const cluster = lvsCluster();
    cluster.endpoint.port = 8443;
    cluster.kubernetes.apiServer.port = 8443;
    const text = director('lb-1', cluster);
    expect(text).toContain('virtual_server 10.88.0.100 8443 {');
    expect(text.match(/real_server 10\.88\.0\.\d+ 8443 \{/g)).toHaveLength(3);
  });
});

describe('a real server', () => {
  test('has a script', async () => {
    const cluster = lvsCluster();
    const script = renderRealServerScript(cluster, named(cluster, 'cp-2'));
    await expect(script).toMatchFileSnapshot(join(GOLDEN, 'real-server-cp-2'));
  });

  test('and a unit', async () => {
    const unit = renderRealServerUnit('containerd.service');
    await expect(unit).toMatchFileSnapshot(join(GOLDEN, 'kubewright-real-server.service'));
  });
});
