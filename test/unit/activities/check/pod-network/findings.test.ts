import { describe, expect, test } from 'vitest';
import { reachFindings } from '../../../../../src/activities/check/pod-network/findings.js';
import { peersOf } from '../../../../../src/activities/check/pod-network/peers.js';
import { podLabels } from '../../../../../src/activities/check/pod-network/pods.js';
import { readSaid } from '../../../../../src/activities/check/pod-network/said.js';

const NODES = ['cp-1', 'cp-2', 'w-1', 'w-2', 'w-3'];

/** What is told of what the script says, a line each, without hints. */
function told(lines: readonly string[], nodes: readonly string[] = NODES): string[] {
  const asked = { nodes, peers: peersOf(nodes), ways: 'UDP 8472', patienceSeconds: 45 };
  const said = readSaid(lines.join('\n'), podLabels('pods-1'));
  return reachFindings(asked, said).map(({ code, host, evidence }) => `${code} ${host}: ${evidence}`);
}

/** Every pair of these that has the node in it, both ways, fails. */
const cutOff = (node: string, how = 'silent', nodes = NODES) =>
  nodes
    .filter((other) => other !== node)
    .flatMap((other) => [
      `kubewright-unreached: ${node} ${other} ${how}`,
      `kubewright-unreached: ${other} ${node} ${how}`,
    ]);

describe('what pods say of the network between nodes', () => {
  test('nothing wrong is no finding', () => {
    expect(told([])).toEqual([]);
  });

  test('a pair is told with both ends, and of no host', () => {
    expect(told(['kubewright-unreached: w-1 w-2 silent', 'kubewright-unreached: w-2 w-1 silent'])).toEqual([
      'KW687 null: pods on w-1 and those on w-2 do not reach each other: no connection within 4 s',
    ]);
  });

  test('what is found again reads the same, whoever has answered first', () => {
    const lines = [...cutOff('w-3'), 'kubewright-unreached: w-1 w-2 silent', 'kubewright-unreached: w-2 w-1 silent'];
    expect(told([...lines].reverse())).toEqual(told(lines));
  });

  test('one direction is told as one', () => {
    expect(told(['kubewright-unreached: w-2 w-1 refused'])).toEqual([
      'KW687 null: pods on w-2 do not reach those on w-1: the connection is refused',
    ]);
  });

  test('a node that is in all failing pairs is named alone', () => {
    expect(told(cutOff('w-2'))).toEqual([
      'KW687 w-2: pods on w-2 and those on all 4 other nodes that were asked do not reach each other: no connection within 4 s',
    ]);
  });

  test('two nodes that are cut off are each named, and what fails between others is told apart', () => {
    const lines = [...new Set([...cutOff('w-2'), ...cutOff('w-3'), 'kubewright-unreached: cp-1 w-1 broken'])];
    expect(told(lines)).toEqual([
      expect.stringMatching(/^KW687 w-2: pods on w-2 and those on all 4 other nodes/),
      expect.stringMatching(/^KW687 w-3: /),
      'KW687 null: pods on cp-1 do not reach those on w-1: the connection broke off',
    ]);
  });

  test.each([
    [['w-1 cp-1', 'w-1 cp-2'], 'pods on w-1 do not reach those on cp-1, cp-2'],
    [['cp-1 w-1', 'cp-2 w-1'], 'pods on w-1 are not reached by those on cp-1, cp-2'],
    [['cp-1 w-1', 'w-1 cp-2'], 'pods on w-1 and those on cp-1, cp-2 do not reach each other'],
  ])('a node that several pairs have in common is named with the others: %j', (pairs, what) => {
    const lines = pairs.map((pair) => `kubewright-unreached: ${pair} silent`);
    expect(told(lines)).toEqual([`KW687 w-1: ${what}: no connection within 4 s`]);
  });

  test('where nothing works no node explains it', () => {
    expect(
      told(NODES.flatMap((node) => cutOff(node).filter((line) => line.startsWith(`kubewright-unreached: ${node} `)))),
    ).toEqual(['KW687 null: no node’s pods reach those of another node: no connection within 4 s']);
  });

  test('of two nodes nobody knows which one it is', () => {
    expect(told(cutOff('w-1', 'silent', ['cp-1', 'w-1']), ['cp-1', 'w-1'])).toEqual([
      'KW687 null: pods on cp-1 and those on w-1 do not reach each other: no connection within 4 s',
    ]);
  });

  test('large packets alone are a fault of their own, which names the MTU in what was seen and what to do', () => {
    const lines = [...cutOff('w-3', 'large'), 'kubewright-unreached: w-1 w-2 silent'];
    expect(told(lines)).toEqual([
      'KW687 null: pods on w-1 do not reach those on w-2: no connection within 4 s',
      expect.stringMatching(/^KW687 w-3: .*: connections begin, .* MTU/),
    ]);
    const asked = { nodes: NODES, peers: peersOf(NODES), ways: 'UDP 8472', patienceSeconds: 45 };
    const hints = reachFindings(asked, readSaid(lines.join('\n'), {})).map(({ hint }) => hint);
    expect(hints[0]).toContain('needs UDP 8472 between all nodes');
    expect(hints[1]).toContain('50 bytes for VXLAN');
  });

  test('what could not be looked at is never a network that does not work', () => {
    expect(told(['kubewright-idle: w-1 ErrImageNeverPull', 'kubewright-unasked: w-2 error: forbidden'])).toEqual([
      'KW688 w-1: the pod that was to ask and answer on w-1 was not ready within 45 s: ErrImageNeverPull',
      'KW688 w-2: the pod on w-2 could not be asked whom it reaches: error: forbidden',
    ]);
  });

  test('a node is cut off also where others could not be asked about it', () => {
    const lines = cutOff('w-1').filter((line) => !line.includes('w-3') && !line.includes(': w-2 '));
    expect(told([...lines, 'kubewright-idle: w-3 ', 'kubewright-unasked: w-2 x'])).toContain(
      'KW687 w-1: pods on w-1 and those on all 3 other nodes that were asked do not reach each other: no connection within 4 s',
    );
  });

  test.each([
    ['all pods', '{}'],
    ['all pods, in kubectl’s other words', ''],
    ['these by a label', '{"matchLabels":{"app.kubernetes.io/managed-by":"kubewright"}}'],
    ['all that have no label', '{"matchExpressions":[{"key":"app","operator":"DoesNotExist"}]}'],
    ['pods in a way of a later API', '{"matchExpressions":[{"key":"app","operator":"Gt","values":["1"]}]}'],
  ])('where a policy takes %s, it is told as what it is', (_, selector) => {
    expect(told([...cutOff('w-1'), `kubewright-policy: deny-all ${selector}`])).toEqual([
      'KW688 null: whether pods reach each other across nodes is not known: deny-all (NetworkPolicy of kube-system) may forbid it; the pod on w-1 does not reach that on cp-1',
    ]);
  });

  test.each([
    '{"matchLabels":{"k8s-app":"kube-dns"}}',
    '{"matchExpressions":[{"key":"k8s-app","operator":"In","values":["kube-dns"]}]}',
    '{"matchExpressions":[{"key":"app.kubernetes.io/managed-by","operator":"NotIn","values":["kubewright"]}]}',
    '{"matchLabels":{"app.kubernetes.io/managed-by":"kubewright"},"matchExpressions":[{"key":"k8s-app","operator":"Exists"}]}',
  ])('a policy for other pods excuses nothing: %s', (selector) => {
    expect(told([...cutOff('w-1'), `kubewright-policy: dns ${selector}`])).toEqual([
      expect.stringMatching(/^KW687 w-1: /),
    ]);
  });
});
