import type { Path } from '../path.js';
import { isNode } from '../roles.js';
import { duplicates } from './duplicates.js';
import type { Check } from './index.js';

/** Kubernetes keeps these for itself, below them and at any depth (label documentation, NodeRestriction). */
const RESERVED = /(^|\.)(kubernetes|k8s)\.io\//;

/** The kubelet sets these itself, at every start. */
const OWN = ['kubernetes.io/hostname', 'kubernetes.io/os', 'kubernetes.io/arch'];

/** Reserved, but meant to be set from outside. */
const OPEN = /^(node-role\.kubernetes\.io|topology\.kubernetes\.io|node-restriction\.kubernetes\.io)\//;

/** Labels and taints that Kubernetes would refuse or overwrite. */
export const checkLabels: Check = ({ hosts }, report) => {
  for (const [index, host] of hosts.entries()) {
    const at = (...rest: Path): Path => ['spec', 'hosts', index, ...rest];
    for (const key of Object.keys(host.labels)) {
      if (OWN.includes(key)) {
        const message = 'the kubelet sets this label itself, and sets it back';
        report.error(at('labels', key), 'own-label', { message, expected: 'another label', at: 'key' });
      } else if (RESERVED.test(key) && !OPEN.test(key)) {
        report.warn(at('labels', key), 'reserved-label', {
          message:
            'labels below kubernetes.io and k8s.io are kept for Kubernetes itself: a later version may give this one a meaning',
          expected: 'a prefix of your own, such as example.org/',
          found: '',
          at: 'key',
        });
      }
    }
    const taints = host.taints ?? [];
    for (const { index: second, first } of duplicates(
      taints.map(({ key, effect }) => key && effect && `${key} ${effect}`),
    )) {
      report.error(at('taints', second), 'duplicate-taint', {
        message: `this key and effect stand above already (line ${report.line(at('taints', first))})`,
        expected: 'each pair of key and effect once',
      });
    }
    for (const key of ['labels', 'taints'] as const) {
      if (host.role === undefined || isNode(host.role) || !report.written(at(key))) continue;
      const what = host.role === 'etcd' ? 'an etcd host' : 'a director';
      report.error(at(key), `${host.role}-host-is-no-node`, {
        message: `${what} is no node of the cluster: nothing could carry its ${key}`,
        found: '',
        at: 'key',
      });
    }
  }
};
