import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import {
  freshNode,
  metadataCommands,
  nodeIn,
  nodeQuestion,
  parseMetadata,
  parseNode,
  parseNodeJson,
} from '../../../../src/activities/kubeadm/node/node-object.js';
import { staticPodFacts, staticPodFault } from '../../../../src/activities/kubeadm/node/static-pods.js';
import { Facts, gatherFacts } from '../../../../src/activities/remote-facts.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import type { RemoteHost } from '../../../../src/hosts/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { nodeText } from './fixtures.js';

const [controlPlane, worker] = clusterOf({ controlPlanes: 1, workers: 1 }).hosts as [ClusterHost, ClusterHost];
const ROLE = {
  'node-role.kubernetes.io/control-plane': '',
  'node.kubernetes.io/exclude-from-external-load-balancers': '',
};
const MEMORY = 'kubewright.dev/applied-metadata';
const NONE = { labels: {}, taints: [] };
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
    const node = { labels: { disk: 'ssd' }, taints: [], set: NONE };
    expect(metadataCommands(host, node)).toEqual([
      "label node w-1 --overwrite 'zone=a b'",
      'taint node w-1 --overwrite gpu=yes:NoExecute',
      `annotate node w-1 --overwrite '${MEMORY}={"labels":{"disk":"ssd","zone":"a b"},"taints":[{"effect":"NoExecute","key":"gpu","value":"yes"}]}'`,
    ]);
  });

  test('what an earlier file set and this one does not is taken away, and the memory of it at last', () => {
    const gpu = { key: 'gpu', value: 'yes', effect: 'NoExecute' as const };
    const set = { labels: { disk: 'ssd', zone: 'a' }, taints: [gpu] };
    const node = { labels: { ...set.labels, mine: '1' }, taints: [gpu, { ...gpu, key: 'mine' }], set };
    expect(metadataCommands({ ...worker, labels: { zone: 'a' } }, node)).toEqual([
      'label node w-1 --overwrite disk-',
      'taint node w-1 --overwrite gpu:NoExecute-',
      `annotate node w-1 --overwrite '${MEMORY}={"labels":{"zone":"a"},"taints":[]}'`,
    ]);
    const after = {
      labels: { zone: 'a', mine: '1' },
      taints: [{ ...gpu, key: 'mine' }],
      set: { labels: { zone: 'a' }, taints: [] },
    };
    expect(metadataCommands({ ...worker, labels: { zone: 'a' } }, after)).toEqual([]);
    expect(metadataCommands(worker, { labels: {}, taints: [], set })).toEqual([
      `annotate node w-1 --overwrite ${MEMORY}-`,
    ]);
  });

  test('a label or taint that somebody has changed since is theirs, and one that nobody remembers is left', () => {
    const gpu = { key: 'gpu', value: 'yes', effect: 'NoExecute' as const };
    const set = { labels: { disk: 'ssd' }, taints: [gpu] };
    const node = { labels: { disk: 'hdd' }, taints: [{ ...gpu, value: 'no' }], set };
    expect(metadataCommands(worker, node)).toEqual([`annotate node w-1 --overwrite ${MEMORY}-`]);
    expect(metadataCommands(worker, { ...node, set: NONE })).toEqual([]);
  });

  test("kubeadm's own taint stays where cluster.yaml no longer writes it out: left out, it is meant", () => {
    const node = { labels: ROLE, taints: [TAINT], set: { labels: {}, taints: [TAINT] } };
    expect(metadataCommands(controlPlane, node)).toEqual([`annotate node cp-1 --overwrite ${MEMORY}-`]);
  });

  test("what others put on a node stays; kubeadm's taint goes where cluster.yaml has taints without it", () => {
    const node = {
      labels: { ...ROLE, mine: '1' },
      taints: [TAINT, { key: 'mine', value: '', effect: 'NoSchedule' as const }],
      set: NONE,
    };
    expect(metadataCommands(controlPlane, node)).toEqual([]);
    expect(metadataCommands({ ...controlPlane, taints: [] }, node)).toEqual([
      'taint node cp-1 --overwrite node-role.kubernetes.io/control-plane:NoSchedule-',
      `annotate node cp-1 --overwrite '${MEMORY}={"labels":{},"taints":[],"withoutOwnTaint":true}'`,
    ]);
  });

  test('a control plane whose taint an earlier file had taken off gets it back where this one says nothing of it', () => {
    const set = parseMetadata('{"labels":{},"taints":[],"withoutOwnTaint":true}');
    const node = { labels: ROLE, taints: [], set };
    expect(metadataCommands({ ...controlPlane, taints: [] }, node)).toEqual([]);
    expect(metadataCommands(controlPlane, node)).toEqual([
      'taint node cp-1 --overwrite node-role.kubernetes.io/control-plane:NoSchedule',
      `annotate node cp-1 --overwrite ${MEMORY}-`,
    ]);
    expect(metadataCommands({ ...controlPlane, taints: [TAINT] }, node)).toEqual([
      'taint node cp-1 --overwrite node-role.kubernetes.io/control-plane:NoSchedule',
      expect.stringContaining('"taints":[{'),
    ]);
  });

  test('a join that ended before the role was set is finished; a taint that was taken off stays off', () => {
    expect(metadataCommands(controlPlane, { labels: {}, taints: [], set: NONE })).toEqual([
      'label node cp-1 --overwrite node-role.kubernetes.io/control-plane= node.kubernetes.io/exclude-from-external-load-balancers=',
      'taint node cp-1 --overwrite node-role.kubernetes.io/control-plane:NoSchedule',
    ]);
    expect(metadataCommands(controlPlane, { labels: ROLE, taints: [], set: NONE })).toEqual([]);
  });
});

test('kubectl and the API tell the same of a node', () => {
  const set = JSON.stringify({ labels: { disk: 'ssd' }, taints: [] });
  const text = nodeText(JSON.stringify(ROLE), JSON.stringify([TAINT]), '10.88.0.11', set);
  const json = JSON.stringify({
    kind: 'Node',
    metadata: { uid: 'u-1', labels: ROLE, annotations: { [MEMORY]: set } },
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
  expect(parseNode(text)).toMatchObject({ value: { set: { labels: { disk: 'ssd' }, taints: [] } } });
  expect(parseNode(`Warning: use of a deprecated version\n${text}`)).toEqual(parseNode(text));
  for (let length = 0; length < text.length; length++) {
    expect(parseNode(text.slice(0, length)).is, `${length} characters`).toBe('unknown');
  }
  for (const said of ['', '{"kind":"Status","code":404}', json.slice(0, 40)]) {
    expect(parseNodeJson(said).is).toBe('unknown');
  }
});

describe('whether there is a node, asked of kubectl in a real bash', () => {
  const ask = async (kubectl: string) => {
    const host = {
      name: 'cp-1',
      run: async (script: string) => ({
        ...(await execa('bash', ['--norc', '-c', script])),
        exitCode: 0,
        durationMs: 1,
      }),
    } as unknown as RemoteHost;
    const script = `kubectl() { ${kubectl}; }\n${nodeQuestion('kubectl', { name: 'w-1' })}ask node node_object`;
    return nodeIn(await gatherFacts(host, script, new AbortController().signal), { name: 'w-1' });
  };

  test.each([
    ['the API server says that there is none', 'Error from server (NotFound): nodes "w-1" not found', 'no'],
    ['it does not find another one', 'Error from server (NotFound): nodes "w-10" not found', 'unknown'],
    [
      'it does not know nodes at all',
      'Error from server (NotFound): the server could not find the resource',
      'unknown',
    ],
    ['etcd elects', 'Error from server: etcdserver: leader changed', 'unknown'],
    ['it is overloaded', 'Error from server (TooManyRequests): the server has received too many requests', 'unknown'],
    ['a certificate has expired', 'error: You must be logged in to the server (Unauthorized)', 'unknown'],
    ['it says nothing', '', 'unknown'],
  ])('%s', async (_, said, is) => {
    expect((await ask(`echo '${said}' >&2; return 1`)).is).toBe(is);
  });

  test('a node that is printed whole is one', async () => {
    const text = nodeText('{}', '', '10.88.0.21').replaceAll('\n', '\\n');
    expect(await ask(`printf '${text}'`)).toMatchObject({ is: 'yes', value: { uid: 'u-1', ready: true } });
    expect((await ask(`printf '${text}' | head -n 5`)).is).toBe('unknown');
  });
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

  test('a question that did not come to its end is no answer', () => {
    const line = (name: string, status: number, value: string) =>
      `fact ${name} ${status} ${Buffer.from(value).toString('base64')}`;
    const cut = new Facts([line('manifest:x', 0, manifest), line('process:x', 124, '')].join('\n'));
    expect(staticPodFault(cut, 'x')).toBe('it cannot be told whether x runs');
  });

  test('the process is found by its program, with each argument as it was given', async () => {
    const child = spawn('sleep', ['86399'], { stdio: 'ignore', argv0: '/opt/kubewright-asleep' });
    const script = `fact() { [ "$1" != process:kubewright-asleep ] || "\${@:2}"; }\n${staticPodFacts(['kubewright-asleep'])}`;
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', script]);
    child.kill();
    expect(stdout).toBe('/opt/kubewright-asleep\n86399\n\n');
  });
});
