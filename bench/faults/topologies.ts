import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Lab, LabUpOptions } from '../../lab/hosts/index.js';
import { machineArchitecture } from '../../src/artifacts/recipes.js';
import { packageRoot } from '../../src/package-root.js';

/** Sections of `spec` in a cluster.yaml. */
export type Spec = Record<string, unknown>;

/** One way to build a cluster, and how a lab of it comes to be. */
export interface Topology {
  key: string;
  /** Of its lab; at most 12 characters. */
  lab: string;
  /** Who bears the API's address: a control plane by VRRP, a director, or somebody else. */
  address: 'vrrp' | 'lvs' | 'external';
  /** What runs HAProxy on the control planes; null: nobody does. */
  haproxy: 'service' | 'pod' | null;
  /** Where etcd's members are. */
  members: 'control-planes' | 'own-hosts';
  /** Where hosts have what etcdctl needs, unless it is where kubeadm puts it. */
  etcdPki?: string;
  options: Pick<LabUpOptions, 'hosts' | 'topology' | 'clusterFile' | 'guests'>;
  /** What its cluster.yaml says otherwise than the lab's. */
  edit?: (spec: Spec, lab: Lab) => Spec;
  installLimitMs?: number;
}

/** Where the balancer of `external` listens, on this machine. */
export const BALANCER_PORT = 16_443;

const LVS = join(packageRoot(), 'examples/clusters/lvs.yaml');

/** Emulated, a director does in a minute what a host in namespaces does in six seconds. */
const GUESTS_LIMIT = 1_800_000;

function director() {
  return { distribution: 'debian-13' as const, architecture: machineArchitecture() ?? ('amd64' as const) };
}

/** In the order in which they are measured. All but two have five hosts: three control planes and two workers. */
export const TOPOLOGIES: Topology[] = [
  {
    key: 'stacked',
    lab: 'faults-st',
    address: 'vrrp',
    haproxy: 'service',
    members: 'control-planes',
    options: { topology: 'stacked' },
  },
  {
    key: 'external-etcd',
    lab: 'faults-ex',
    address: 'vrrp',
    haproxy: 'service',
    members: 'own-hosts',
    options: { topology: 'external-etcd' },
  },
  {
    key: 'static-pods',
    lab: 'faults-sp',
    address: 'vrrp',
    haproxy: 'pod',
    members: 'control-planes',
    options: { topology: 'stacked' },
    edit: (spec) => ({
      ...spec,
      endpoint: { ...(spec.endpoint as object), port: 6443 },
      loadBalancer: { type: 'static-pods' },
      kubernetes: { ...(spec.kubernetes as object | undefined), apiServer: { port: 8443 } },
    }),
  },
  {
    key: 'etcd-systemd',
    lab: 'faults-sd',
    address: 'vrrp',
    haproxy: 'service',
    members: 'control-planes',
    etcdPki: '/etc/kubewright/pki/etcd',
    options: { topology: 'stacked' },
    edit: (spec) => ({ ...spec, etcd: { runner: 'systemd' } }),
  },
  {
    key: 'external',
    lab: 'faults-lb',
    address: 'external',
    haproxy: null,
    members: 'control-planes',
    options: { topology: 'stacked' },
    edit: (spec, lab) => ({
      ...spec,
      endpoint: { address: lab.record.plan.subnet.gateway, port: BALANCER_PORT },
      loadBalancer: { type: 'external' },
    }),
  },
  {
    key: 'lvs',
    lab: 'faults-lv',
    address: 'lvs',
    haproxy: null,
    members: 'control-planes',
    options: { clusterFile: LVS, guests: { 'lb-1': director(), 'lb-2': director() } },
    installLimitMs: GUESTS_LIMIT,
  },
];

/**
 * The topologies that somebody has named, in the bench's order; all of them when none was.
 *
 * @throws Error with the names that there are, for one that there is not
 */
export function chosen(names: string[]): Topology[] {
  const unknown = names.filter((name) => !TOPOLOGIES.some(({ key }) => key === name));
  if (unknown.length > 0) {
    const all = TOPOLOGIES.map(({ key }) => key).join(', ');
    throw new Error(`there is no topology ${unknown.join(', ')}; there are ${all}`);
  }
  return names.length === 0 ? TOPOLOGIES : TOPOLOGIES.filter(({ key }) => names.includes(key));
}

/** Makes a lab's cluster.yaml that of the topology. */
export async function writeClusterFile(topology: Topology, lab: Lab): Promise<void> {
  if (topology.edit === undefined) return;
  const { clusterFile } = lab.files;
  const file = parse(await readFile(clusterFile, 'utf8')) as { spec: Spec };
  file.spec = topology.edit(file.spec, lab);
  await writeFile(clusterFile, stringify(file));
}
