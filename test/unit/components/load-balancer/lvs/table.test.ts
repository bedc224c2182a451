import { expect, test } from 'vitest';
import { realServersIn } from '../../../../../src/components/load-balancer/lvs/steps/table.js';
import { lvsCluster, tableOf } from './lvs-cluster.js';

const cluster = lvsCluster();

test('the kernel’s table tells the real servers of the virtual IP, and of no other virtual server', () => {
  expect(realServersIn(tableOf(11, 12), cluster)).toEqual([
    { address: '10.88.0.11', port: 6443, forward: 'Route', weight: 1 },
    { address: '10.88.0.12', port: 6443, forward: 'Route', weight: 1 },
  ]);
  expect(realServersIn(tableOf(), cluster)).toEqual([]);
});

test.each([
  [''],
  ['IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n'],
  [tableOf(11).replace('192B rr', '192C rr')],
])('a table without the virtual server tells of none', (table) => {
  expect(realServersIn(table, cluster)).toBeUndefined();
});
