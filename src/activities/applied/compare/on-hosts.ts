import { apiServerPort } from '../../../cluster/chosen-ports.js';
import { isNode } from '../../../cluster/roles.js';
import type { Cluster, ClusterHost, ExtraArg } from '../../../cluster/types.js';
import { etcdOf, holdsMember, runsContainers } from '../../../components/registry/plan.js';
import { CHOSEN } from '../../../components/registry/settings.js';
import { digestOf } from '../../remote-facts.js';
import { below, type Found, shown } from '../difference.js';
import type { Applied, AppliedHost } from '../types.js';
import { unmet } from '../values.js';
import { type Component, componentsOf, isPatched } from './components.js';
import { compareArgs } from './config.js';
import type { Part } from './index.js';
import { foundOf, KUBELET_KEY } from './settings.js';
import { uncheckedOnHosts } from './unchecked.js';

/**
 * What the hosts themselves have: versions, flags, certificates, settings and patches. Whoever changed the cluster's
 * ConfigMaps by hand has not changed a host yet. A host that is no whole member is joined anew, and has nothing to compare.
 */
export function compareOnHosts(cluster: Cluster, applied: Applied): Part {
  const members = cluster.hosts.flatMap((host) => {
    const there = applied.hosts.get(host.name);
    return there?.member ? [{ host, there }] : [];
  });
  return {
    found: members.flatMap(({ host, there }) => [
      ...versionFound(cluster, applied, host, there),
      ...portFound(cluster, host, there),
      ...flagFound(cluster, applied, host, there),
      ...certificateFound(cluster, applied, there),
      ...kubeletFound(cluster, applied, host, there),
      ...(runsContainers(cluster, host.role) ? patchFound(cluster, there) : []),
    ]),
    unchecked: uncheckedOnHosts(cluster, applied),
  };
}

/** The kubelet that runs, and what the node says of it. Where it is what kubeadm keeps too, that has been told already. */
function versionFound({ kubernetes }: Cluster, applied: Applied, host: ClusterHost, there: AppliedHost): Found[] {
  const node = applied.nodes.find(({ name }) => name === host.name);
  const versions = new Set([there.kubeletVersion, node?.kubeletVersion]);
  return [...versions]
    .filter((version) => version !== undefined && version !== kubernetes.version && version !== applied.config?.version)
    .map((version) => ({
      key: 'spec.kubernetes.version',
      applied: `${shown(version)} (its kubelet)`,
      wanted: kubernetes.version,
      hosts: [host.name],
    }));
}

/** The port that an API server of the cluster listens on, where the file has another one. */
function portFound(cluster: Cluster, host: ClusterHost, there: AppliedHost): Found[] {
  const command = there.commands.get('kube-apiserver');
  if (host.role !== 'control-plane' || command === undefined || isPatched(cluster, 'kube-apiserver')) return [];
  const applied = command.find((word) => word.startsWith('--secure-port='))?.slice('--secure-port='.length);
  const wanted = String(apiServerPort(cluster));
  if (applied === undefined || applied === wanted) return [];
  return [
    { key: 'spec.kubernetes.apiServer.port', applied: shown(applied), wanted: shown(wanted), hosts: [host.name] },
  ];
}

/** Flags of the file that a static pod or kubelet does not have, where the cluster says that it should. */
function flagFound(cluster: Cluster, applied: Applied, host: ClusterHost, there: AppliedHost): Found[] {
  const { kubernetes, etcd } = cluster;
  const told = (key: string, args: ExtraArg[], kept: ExtraArg[] | undefined) =>
    // What differs from what kubeadm keeps has been told already, for the cluster as a whole.
    args.filter(
      ({ name }) => kept === undefined || compareArgs(key, args, kept).every((one) => one.key !== below(key, [name])),
    );
  const found = (key: string, args: ExtraArg[], has: (flag: string) => boolean): Found[] =>
    args
      .filter(({ name, value }) => !has(`--${name}=${value}`))
      .map(({ name, value }) => ({
        key: below(key, [name]),
        applied: 'another value, or none',
        wanted: shown(value),
        hosts: [host.name],
      }));
  const components = componentsOf(cluster).flatMap(({ component, section, key, args }) => {
    const command = there.commands.get(component);
    if (host.role !== 'control-plane' || command === undefined || isPatched(cluster, component)) return [];
    return found(key, told(key, args, keptArgs(applied, section)), (flag) => command.includes(flag));
  });
  const kubelet =
    !isNode(host.role) || there.kubeletFlags === undefined
      ? []
      : found('spec.kubernetes.kubelet.extraArgs', kubernetes.kubelet.extraArgs, (flag) =>
          ` ${there.kubeletFlags} `.includes(` ${flag} `),
        );
  return [...components, ...kubelet, ...etcdFound(cluster, etcd.extraArgs, host, there)];
}

function keptArgs({ config }: Applied, section: Component['section']): ExtraArg[] | undefined {
  if (section !== 'etcd') return config?.extraArgs[section];
  return config?.etcd.topology === 'stacked' ? config.etcd.extraArgs : undefined;
}

/** Members that kubeadm has not made keep the flags that they were started with, and show what runs them. */
function etcdFound(cluster: Cluster, wanted: ExtraArg[], host: ClusterHost, there: AppliedHost): Found[] {
  if (!holdsMember(cluster, host.role) || etcdOf(cluster).byKubeadm) return [];
  const runner = cluster.etcd.runner ?? CHOSEN.etcd.runner;
  const found =
    there.etcdRunner === undefined || there.etcdRunner === runner
      ? compareArgs('spec.etcd.extraArgs', wanted, there.etcdArgs ?? wanted)
      : [{ key: 'spec.etcd.runner', applied: shown(there.etcdRunner), wanted: shown(runner) }];
  return found.map((one) => ({ ...one, hosts: [host.name] }));
}

function certificateFound({ kubernetes }: Cluster, applied: Applied, there: AppliedHost): Found[] {
  const { certificateNames: names } = there;
  if (names === undefined) return [];
  return kubernetes.certificateSANs
    .filter((name) => !names.includes(name) && (applied.config?.certificateSANs.includes(name) ?? true))
    .map((name) => ({
      key: 'spec.kubernetes.certificateSANs',
      applied: `no ${shown(name)}`,
      wanted: shown(name),
      hosts: [there.name],
    }));
}

/** The kubelet's own file, where the cluster's ConfigMap says what the file says. An etcd host has no other. */
function kubeletFound(cluster: Cluster, applied: Applied, host: ClusterHost, there: AppliedHost): Found[] {
  if (there.kubelet === undefined || isPatched(cluster, 'kubeletconfiguration')) return [];
  const wanted = cluster.kubernetes.kubelet.config;
  const told = new Set(
    host.role === 'etcd' ? [] : unmet(applied.kubelet ?? wanted, wanted).map(({ path }) => path.join('\n')),
  );
  return unmet(there.kubelet, wanted)
    .filter(({ path }) => !told.has(path.join('\n')))
    .map((one) => ({ ...foundOf(KUBELET_KEY, one), hosts: [host.name] }));
}

/** kubeadm's patches are written to a host when it becomes a member, and lie there as they were used. */
function patchFound({ kubernetes }: Cluster, there: AppliedHost): Found[] {
  if (there.unread.has('patches')) return [];
  const wanted = new Map(kubernetes.patches.map(({ name, content }) => [name, digestOf(content)]));
  const names = new Set([...there.patches.keys(), ...wanted.keys()]);
  return [...names]
    .filter((name) => there.patches.get(name) !== wanted.get(name))
    .map((name) => ({
      key: 'spec.kubernetes.patchesDirectory',
      applied: there.patches.has(name) ? `${shown(name)} as it was` : `no ${shown(name)}`,
      wanted: wanted.has(name) ? `${shown(name)} as it is now` : `no ${shown(name)}`,
      hosts: [there.name],
    }));
}
