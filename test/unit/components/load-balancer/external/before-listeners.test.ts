import { expect, test } from 'vitest';
import { checkCluster } from '../../../../../src/activities/prepare/checkCluster.js';
import { contextAmong, factLines, fakeHosts } from '../../../activities/fake-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

test('the preflight asks at the endpoint before hosts listen for each other: the balancer would lead to these', async () => {
  const endpoint = { address: '10.88.0.1', port: 6443 };
  const cluster = clusterOf({ controlPlanes: 2, workers: 1 }, { endpoint, loadBalancer: { type: 'external' } });
  const hosts = fakeHosts(cluster);
  const order: string[] = [];
  for (const [name, host] of hosts) {
    host.answer('perl - listen', () => {
      order.push(`${name} listens`);
      return '';
    });
    host.answer('greeting()', () => {
      order.push(`${name} asks`);
      return factLines({ reach: 'connected' });
    });
  }
  const found = await checkCluster.probe(contextAmong(hosts, cluster, 'checkCluster', null));
  expect(order.map((each) => each.split(' ')[1])).toEqual(['asks', 'asks', 'asks', 'listens', 'listens', 'listens']);
  expect(JSON.stringify(found.changes)).not.toContain('KW372');
});
