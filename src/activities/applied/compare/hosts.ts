import { isNode } from '../../../cluster/roles.js';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import {
  CONTROL_PLANE_LABEL,
  isSameTaint,
  leftLabels,
  leftTaints,
  returningTaints,
  taintText,
} from '../../kubeadm/node/node-object.js';
import { below, type Found, shown } from '../difference.js';
import type { Applied, AppliedNode } from '../types.js';
import type { Part } from './index.js';
import { recordedHosts } from './record.js';

/** The hosts of the file and the nodes of the cluster: who came, who went, and what each is. */
export function compareHosts(cluster: Cluster, applied: Applied): Part {
  const nodes = new Map(applied.nodes.map((node) => [node.name, node]));
  return {
    found: [
      ...cluster.hosts.flatMap((host) => compareHost(host, nodes.get(host.name), applied)),
      ...applied.nodes.filter(({ name }) => !cluster.hosts.some((host) => host.name === name)).map(goneFound),
      ...recordedFound(cluster, applied),
    ],
    unchecked: cluster.hosts
      .filter(({ name }) => !applied.hosts.has(name))
      .map(({ name }) => `what is on ${name}: it cannot be asked`),
  };
}

function compareHost(host: ClusterHost, node: AppliedNode | undefined, applied: Applied): Found[] {
  const key = `spec.hosts[${host.name}]`;
  if (node === undefined) return isNode(host.role) ? added(host, applied) : roleFound(host, node, applied);
  return [
    ...roleFound(host, node, applied),
    ...(node.address === '' || node.address === host.address
      ? []
      : [{ key: `${key}.address`, applied: node.address, wanted: host.address }]),
    ...labelFound(host, node),
    ...taintFound(host, node),
  ];
}

/** A host that is no node yet, or another node's host under a new name. */
function added(host: ClusterHost, applied: Applied): Found[] {
  const key = `spec.hosts[${host.name}]`;
  const former = applied.nodes.find(({ address }) => address === host.address);
  if (former !== undefined) return [{ key: `${key}.name`, applied: former.name, wanted: host.name }];
  const role = roleFound(host, undefined, applied);
  if (role.length > 0) return role;
  return [{ key, applied: 'no node', wanted: `${host.role} at ${host.address}`, verdict: 'install' }];
}

function goneFound(node: AppliedNode): Found {
  const key = `spec.hosts[${node.name}]`;
  if (node.controlPlane) return { key: `${key}.role`, applied: 'a control plane', wanted: 'nothing' };
  return { key, applied: 'a worker', wanted: 'nothing', verdict: 'stays' };
}

/**
 * Hosts that the record has, and neither the file nor the cluster: somebody has deleted the node, or a director shall go. Members of external etcd
 * are no nodes and stand among the cluster's own endpoints.
 */
function recordedFound(cluster: Cluster, { nodes, record }: Applied): Found[] {
  const known = new Set([...cluster.hosts, ...nodes].map(({ name }) => name));
  return recordedHosts(record)
    .filter(({ name, role }) => role !== 'etcd' && !known.has(name))
    .map((host) => (isNode(host.role) ? goneNode(host) : goneDirector(host)));
}

function goneNode({ name, role, address }: ClusterHost): Found {
  const what = role === 'worker' ? 'worker' : 'control plane';
  const applied = `a ${what} at ${address}, and no node any more`;
  return { key: `spec.hosts[${name}]`, applied, wanted: 'nothing', verdict: 'stays' };
}

/** Left alone it would go on taking the virtual IP, and those that stay would not know of it. */
function goneDirector({ name, address }: ClusterHost): Found {
  return { key: `spec.hosts[${name}].role`, applied: `a director at ${address}`, wanted: 'nothing' };
}

/**
 * What a host is, against what the file says. A join that was cut off has not made it anything yet, so a worker is one only
 * when it is a whole member; a control plane is one as soon as anything of it is there.
 */
function roleFound(host: ClusterHost, node: AppliedNode | undefined, applied: Applied): Found[] {
  const there = applied.hosts.get(host.name);
  const isControlPlane = node?.controlPlane === true || there?.role === 'control-plane';
  const isWorker = there?.member === true && there.role === undefined && node !== undefined;
  const role = isControlPlane ? 'control-plane' : there?.role === 'etcd' ? 'etcd' : isWorker ? 'worker' : undefined;
  if (role === undefined || role === host.role) return [];
  return [{ key: `spec.hosts[${host.name}].role`, applied: role, wanted: host.role }];
}

function labelFound(host: ClusterHost, node: AppliedNode): Found[] {
  const key = `spec.hosts[${host.name}].labels`;
  return [
    ...Object.entries(host.labels)
      .filter(([name, value]) => node.labels[name] !== value)
      .map(([name, value]) => ({ key: below(key, [name]), applied: shown(node.labels[name]), wanted: shown(value) })),
    ...leftLabels(host, node).map(([name, value]) => ({
      key: below(key, [name]),
      applied: shown(value),
      wanted: 'nothing',
    })),
  ];
}

function taintFound(host: ClusterHost, node: AppliedNode): Found[] {
  const key = `spec.hosts[${host.name}].taints`;
  const missing = (host.taints ?? returningTaints(host, node)).filter(
    (taint) => !node.taints.some((there) => isSameTaint(there, taint)),
  );
  // A control plane's own taint goes where the file has taints without it.
  const own = node.taints.filter(
    (taint) =>
      host.taints !== null &&
      taint.key === CONTROL_PLANE_LABEL &&
      !host.taints.some(({ key: name }) => name === taint.key),
  );
  const left = leftTaints(host, node).filter((taint) => !own.some((there) => isSameTaint(there, taint)));
  return [
    ...missing.map((taint) => ({ key, applied: `no ${shown(taintText(taint))}`, wanted: shown(taintText(taint)) })),
    ...[...own, ...left].map((taint) => ({
      key,
      applied: shown(taintText(taint)),
      wanted: `no ${shown(taintText(taint))}`,
    })),
  ];
}
