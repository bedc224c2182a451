import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  freshNode,
  metadataCommands,
  parseNode,
  parseNodeJson,
} from '../../../../src/activities/kubeadm/node/node-object.js';
import { staticPodFacts, staticPodFault } from '../../../../src/activities/kubeadm/node/static-pods.js';
import { Facts } from '../../../../src/activities/remote-facts.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';

const [controlPlane, worker] = clusterOf({ controlPlanes: 1, workers: 1 }).hosts as [ClusterHost, ClusterHost];
const ROLE = {
  'node-role.kubernetes.io/control-plane': '',
  'node.kubernetes.io/exclude-from-external-load-balancers': '',
};
const TAINT = { key: 'node-role.kubernetes.io/control-plane', value: '', effect: 'NoSchedule' as const };

describe('labels and taints of cluster.yaml', () => {
  test('nothing is to be done for a node that kubeadm is done with', () => {
    expect(metadataCommands(controlPlane, freshNode(controlPlane))).toEqual([]);
    expect(metadataCommands(worker, freshNode(worker))).toEqual([]);
  });

  test('only what differs is set, and values are quoted', () => {
    const host = {
      ...worker,
      labels: { disk: 'ssd', zone: 'a b' },
      taints: [{ key: 'gpu', value: 'yes', effect: 'NoExecute' as const }],
    };
    const node = { labels: { disk: 'ssd' }, taints: [] };
    expect(metadataCommands(host, node)).toEqual([
      "label node w-1 --overwrite 'zone=a b'",
      'taint node w-1 --overwrite gpu=yes:NoExecute',
    ]);
  });

  test("what others put on a node stays; kubeadm's taint goes where cluster.yaml has taints without it", () => {
    const node = {
      labels: { ...ROLE, mine: '1' },
      taints: [TAINT, { key: 'mine', value: '', effect: 'NoSchedule' as const }],
    };
    expect(metadataCommands(controlPlane, node)).toEqual([]);
    expect(metadataCommands({ ...controlPlane, taints: [] }, node)).toEqual([
      'taint node cp-1 --overwrite node-role.kubernetes.io/control-plane:NoSchedule-',
    ]);
  });

  test('a join that ended before the role was set is finished; a taint that was taken off stays off', () => {
    expect(metadataCommands(controlPlane, { labels: {}, taints: [] })).toEqual([
      'label node cp-1 --overwrite node-role.kubernetes.io/control-plane= node.kubernetes.io/exclude-from-external-load-balancers=',
      'taint node cp-1 --overwrite node-role.kubernetes.io/control-plane:NoSchedule',
    ]);
    expect(metadataCommands(controlPlane, { labels: ROLE, taints: [] })).toEqual([]);
  });
});

test('kubectl and the API tell the same of a node', () => {
  const text = [JSON.stringify(ROLE), JSON.stringify([TAINT]), '10.88.0.11', 'True', 'v1.34.3'].join('\n');
  const json = JSON.stringify({
    kind: 'Node',
    metadata: { labels: ROLE },
    spec: { taints: [TAINT] },
    status: {
      addresses: [
        { type: 'Hostname', address: 'cp-1' },
        { type: 'InternalIP', address: '10.88.0.11' },
      ],
      conditions: [
        { type: 'MemoryPressure', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
      nodeInfo: { kubeletVersion: 'v1.34.3' },
    },
  });
  expect(parseNode(text)).toEqual(parseNodeJson(json));
  expect(parseNode('')).toBeUndefined();
  expect(parseNodeJson('{"kind":"Status","code":404}')).toBeUndefined();
});

describe('a static pod runs with its manifest', () => {
  const manifest = 'spec:\n  containers:\n  - command:\n    - sleep\n    - "86399"\n';

  function facts(text: string, process: string): Facts {
    const line = (name: string, value: string) => `fact ${name} 0 ${Buffer.from(value).toString('base64')}`;
    return new Facts([line('manifest:x', text), line('process:x', process)].join('\n'));
  }

  test.each([
    ['the same words', manifest, 'sleep\n86399', undefined],
    ['no manifest', '', 'sleep\n86399', 'x has no manifest'],
    ['half a manifest', manifest.slice(0, 25), 'sleep\n86399', 'x has no manifest'],
    ['no process', manifest, '', 'x does not run'],
    ['an older process', manifest, 'sleep\n1', "x runs with other arguments than its manifest's"],
  ])('%s', (_, text, process, fault) => {
    expect(staticPodFault(facts(text, process), 'x')).toBe(fault);
  });

  test('the process is found by its program, with each argument as it was given', async () => {
    const child = spawn('sleep', ['86399'], { stdio: 'ignore', argv0: '/opt/kubewright-asleep' });
    const script = `fact() { [ "$1" != process:kubewright-asleep ] || "\${@:2}"; }\n${staticPodFacts(['kubewright-asleep'])}`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script]);
    child.kill();
    expect(stdout).toBe('/opt/kubewright-asleep\n86399\n');
  });
});
