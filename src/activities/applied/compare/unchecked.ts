import { isNode } from '../../../cluster/roles.js';
import type { Cluster, ClusterHost, ExtraArg } from '../../../cluster/types.js';
import { etcdOf, holdsMember, runsContainers } from '../../../components/registry/plan.js';
import { listed } from '../../prepare/checks/problem.js';
import type { Applied, AppliedHost, HostSource } from '../types.js';
import { componentsOf, isPatched, patchesOf } from './components.js';

/** A key of the file that was not compared with what a host has, and why, as the end of a sentence. */
interface Gap {
  key: string;
  why: string;
}

/**
 * What could not be compared on the hosts: a file that is not there or was not read, and what a patch of the user may have
 * changed. Keys that the file does not use are not told: nothing is asked for there. One line a key and reason.
 */
export function uncheckedOnHosts(cluster: Cluster, applied: Applied): string[] {
  const hosts = new Map<string, { gap: Gap; names: string[] }>();
  for (const host of cluster.hosts) {
    const there = applied.hosts.get(host.name);
    for (const gap of there === undefined ? [] : gapsOf(cluster, host, there, applied)) {
      const group = `${gap.key}\n${gap.why}`;
      hosts.set(group, { gap, names: [...(hosts.get(group)?.names ?? []), host.name] });
    }
  }
  return [...hosts.values()].map(({ gap, names }) => `${gap.key} on ${listed(names)}: ${gap.why}`);
}

function gapsOf(cluster: Cluster, host: ClusterHost, there: AppliedHost, { nodes }: Applied): Gap[] {
  const record = there.unread.get('owner');
  if (record !== undefined) return [{ key: 'what is', why: `the ownership record cannot be read (${record})` }];
  // A host that is no whole member is joined anew.
  if (!there.member) return [];
  const { kubelet, certificateSANs } = cluster.kubernetes;
  // One that is no control plane yet differs by its role, which is told.
  const isOne = nodes.find(({ name }) => name === host.name)?.controlPlane === true;
  const controlPlane = host.role === 'control-plane' && isOne;
  return [
    ...(controlPlane ? componentGaps(cluster, there) : []),
    ...(controlPlane && certificateSANs.length > 0 && there.certificateNames === undefined
      ? [
          {
            key: 'spec.kubernetes.certificateSANs',
            why: reasonOf(there, 'certificate', "the API server's certificate"),
          },
        ]
      : []),
    ...(isNode(host.role) && kubelet.extraArgs.length > 0 && there.kubeletFlags === undefined
      ? [{ key: 'spec.kubernetes.kubelet.extraArgs', why: reasonOf(there, 'flags', "the file of the kubelet's flags") }]
      : []),
    ...(isApart(cluster, host) ? memberGaps(cluster.etcd.extraArgs, there) : []),
    ...(runsContainers(cluster, host.role) ? settingsGaps(cluster, there) : []),
    ...(there.unread.has('patches')
      ? [{ key: 'spec.kubernetes.patchesDirectory', why: reasonOf(there, 'patches', 'the directory of patches') }]
      : []),
  ];
}

/** Whether it holds a member of etcd that kubeadm does not make. */
function isApart(cluster: Cluster, { role }: ClusterHost): boolean {
  return holdsMember(cluster, role) && !etcdOf(cluster).byKubeadm;
}

function componentGaps(cluster: Cluster, there: AppliedHost): Gap[] {
  return componentsOf(cluster).flatMap(({ component, key, args }) => {
    if (args.length === 0) return [];
    if (isPatched(cluster, component)) return [{ key, why: `${patched(cluster, component)} the flags` }];
    if (there.commands.has(component)) return [];
    return [{ key, why: reasonOf(there, `manifest:${component}`, `the manifest of ${component}`) }];
  });
}

function memberGaps(args: ExtraArg[], there: AppliedHost): Gap[] {
  if (args.length === 0 || there.etcdArgs !== undefined) return [];
  return [{ key: 'spec.etcd.extraArgs', why: reasonOf(there, 'etcd', 'what its member was begun with') }];
}

function settingsGaps(cluster: Cluster, there: AppliedHost): Gap[] {
  const key = 'spec.kubernetes.kubelet.config';
  if (Object.keys(cluster.kubernetes.kubelet.config).length === 0) return [];
  if (isPatched(cluster, 'kubeletconfiguration')) {
    return [{ key, why: `${patched(cluster, 'kubeletconfiguration')} the settings` }];
  }
  return there.kubelet === undefined ? [{ key, why: reasonOf(there, 'config', "the kubelet's configuration") }] : [];
}

function patched(cluster: Cluster, target: string): string {
  return `${listed(patchesOf(cluster, target))} of patchesDirectory may change`;
}

function reasonOf(there: AppliedHost, source: HostSource, what: string): string {
  const why = there.unread.get(source);
  return why === undefined ? `${what} is not there, or not to be understood` : `${what} cannot be read (${why})`;
}
