import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writer } from '../../../../src/activities/lease/lease.js';
import { type Problem, problemsOf } from '../../../../src/activities/prepare/checks/index.js';
import { type HostFacts, parseHostFacts } from '../../../../src/activities/prepare/facts/host-facts.js';
import { Facts } from '../../../../src/activities/remote-facts.js';
import type { Bundle } from '../../../../src/bundle/bundle.js';
import type { Cluster, Role } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';

/** What the facts script prints on a new Debian host that is fit for everything, as lines of name and values. */
const FIT = [
  ['kernel', 'Linux', 'x86_64', '6.1.0-38-amd64'],
  ['init', 'systemd'],
  ['systemd', '252'],
  ['container', 'none'],
  ['hostname', 'cp-1'],
  ['machine-id', '1111'],
  ['os', 'ID=debian'],
  ['os', 'VERSION_ID="12"'],
  ['os', 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"'],
  ['address', 'lo', '127.0.0.1/8', '00:00:00:00:00:00'],
  ['address', 'eth0', '10.88.0.11/24', '02:00:00:00:00:11'],
  ['port', '22', 'sshd'],
  ['route', '10.88.0.0/24', 'eth0'],
  ['resolver-file', '/etc/resolv.conf'],
  ['nameserver', '/etc/resolv.conf', '10.88.0.1'],
  ['runtime', 'candidate', '1.6.20~ds1-1+deb12u1'],
  ['containers', 'docker', '0'],
  ['now', '1790000000'],
  ['cpus', '4'],
  ['memory', 'MemTotal', '8000000'],
  ['memory', 'MemAvailable', '7000000'],
  ['disk', '/var/lib/containerd', '2049', '40000000', '30000000', '/'],
  ['disk', '/var/lib/kubelet', '2049', '40000000', '30000000', '/'],
  ['disk', '/var/lib/kubewright', '2049', '40000000', '30000000', '/'],
  ['disk', '/opt/kubewright', '2049', '40000000', '30000000', '/'],
  ['feature', 'overlay', 'present'],
  ['feature', 'br_netfilter', 'loadable'],
  ['feature', 'vxlan', 'loadable'],
  ['cgroup', 'cgroup2fs'],
  ['controllers', 'cpuset', 'cpu', 'io', 'memory', 'pids'],
  ['sysctls', 'writable'],
];

/** The one problem that a fit host has with these lines; fails when there are more, or none. */
export function onlyProblem(problems: Problem[]): Problem {
  const [problem] = problems;
  if (problems.length !== 1 || problem === undefined) throw new Error(`not one problem: ${JSON.stringify(problems)}`);
  return problem;
}

export interface Circumstances {
  cluster?: Cluster;
  role?: Role;
  bundle?: Bundle | undefined;
  writer?: Writer;
}

export const CLUSTER = clusterOf({ controlPlanes: 3, workers: 1 });

/** What is wrong with the first host of a cluster, fit but for these lines of facts. */
export function problemsWith(changes: Record<string, string[][]>, circumstances: Circumstances = {}): Problem[] {
  const { cluster = CLUSTER, role = 'control-plane', writer } = circumstances;
  const bundle = 'bundle' in circumstances ? circumstances.bundle : BUNDLE;
  const host = { ...(cluster.hosts[0] as Cluster['hosts'][number]), role };
  return problemsOf({ cluster, host, facts: factsWith(changes), writer }, bundle);
}

/** The ownership record of that host, as a line of facts. */
export function ownerLine(change: Partial<Record<string, string | null>> = {}): string[][] {
  const owner = {
    cluster: 'demo',
    host: 'cp-1',
    address: '10.88.0.11',
    endpoint: '10.88.0.100:8443',
    caFingerprint: null,
  };
  return [[JSON.stringify({ ...owner, ...change })]];
}

/** A node of ours, installed. */
export const INSTALLED = {
  owner: ownerLine(),
  leftover: [
    ['node', 'kubeadm', '/etc/kubernetes/kubelet.conf'],
    ['begun', 'kubeadm', '/var/lib/kubelet/config.yaml'],
  ],
  kubelet: [['active']],
};

/** Facts of a fit host, with lines of some names replaced (`[]`: none of that name) or added. */
export function factsWith(changes: Record<string, string[][]> = {}): HostFacts {
  const kept = FIT.filter(([name = '']) => !(name in changes));
  const added = Object.entries(changes).flatMap(([name, lines]) => lines.map((values) => [name, ...values]));
  return parseHostFacts(new Facts([...kept, ...added].map((line) => `row ${line.join('\t')}`).join('\n')));
}

const MIB = 1024 * 1024;

/** A bundle of files that are nowhere: 100 MiB of binaries, which lie there in 30 MiB, 500 MiB of images. */
export const BUNDLE: Bundle = {
  directory: '/bundle',
  kubernetesVersion: '1.34.3',
  architecture: 'amd64',
  source: 'modules',
  versions: {
    kubernetes: 'v1.34.3',
    etcd: 'v3.6.5',
    'cri-tools': 'v1.36.0',
    containerd: 'v2.3.7',
    runc: 'v1.5.2',
    'load-balancer': '2.6.12-2.2.7-0a1b2c3d',
  },
  files: [
    'kubelet',
    'kubeadm',
    'kubectl',
    'crictl',
    'etcdctl',
    'etcdutl',
    'containerd',
    'containerd-shim-runc-v2',
    'ctr',
    'runc',
  ]
    .map((name) => file(`bin/${name}`, 10 * MIB))
    .concat(['haproxy', 'keepalived', 'libc.so.6'].map((name) => file(`load-balancer/${name}`, MIB)))
    // Of no size: only where systemd runs etcd does a host get it.
    .concat(file('bin/etcd', 0)),
  images: [
    image('registry.k8s.io/pause:3.10.1', 'every-node', MIB),
    image('registry.k8s.io/kube-proxy:v1.34.3', 'every-node', 199 * MIB),
    image('registry.k8s.io/kube-apiserver:v1.34.3', 'control-plane', 200 * MIB),
    image('registry.k8s.io/etcd:3.6.5-0', 'etcd', 100 * MIB),
    image('registry.k8s.io/e2e-test-images/agnhost:2.56', 'check', 50 * MIB),
  ],
};

/** Writes the bundle's `bundle.json` into a new directory, which the caller removes. @returns the directory */
export function layBundle(): string {
  const { directory: _, ...manifest } = BUNDLE;
  const directory = mkdtempSync(join(tmpdir(), 'kubewright-bundle-'));
  const text = JSON.stringify({ apiVersion: 'kubewright.dev/v1alpha1', kind: 'Bundle', ...manifest });
  writeFileSync(join(directory, 'bundle.json'), text);
  return directory;
}

function file(path: string, size: number) {
  const packed = { size: Math.ceil(size / 4), sha256: 'c'.repeat(64) };
  return { path, size, sha256: 'a'.repeat(64), mode: 0o755, packed };
}

function image(name: string, neededBy: Bundle['images'][number]['neededBy'], size: number): Bundle['images'][number] {
  const archive = `images/${name.slice(name.lastIndexOf('/') + 1).replace(':', '-')}.tar`;
  return { file: archive, names: [name], neededBy, sha256: 'b'.repeat(64), size, version: '1' };
}
