import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HostFacts, parseHostFacts } from '../../../../src/activities/prepare/facts/host-facts.js';
import type { Bundle } from '../../../../src/bundle/bundle.js';

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
  ['cpus', '4'],
  ['memory', 'MemTotal', '8000000'],
  ['memory', 'MemAvailable', '7000000'],
  ['disk', '/var/lib/containerd', '2049', '40000000', '30000000', '/'],
  ['disk', '/var/lib/kubelet', '2049', '40000000', '30000000', '/'],
  ['disk', '/var/lib/kubewright', '2049', '40000000', '30000000', '/'],
  ['disk', '/usr/local/bin', '2049', '40000000', '30000000', '/'],
  ['feature', 'overlay', 'present'],
  ['feature', 'br_netfilter', 'loadable'],
  ['cgroup', 'cgroup2fs'],
  ['controllers', 'cpuset', 'cpu', 'io', 'memory', 'pids'],
  ['sysctls', 'writable'],
];

/** Facts of a fit host, with lines of some names replaced (`[]`: none of that name) or added. */
export function factsWith(changes: Record<string, string[][]> = {}): HostFacts {
  const kept = FIT.filter(([name = '']) => !(name in changes));
  const added = Object.entries(changes).flatMap(([name, lines]) => lines.map((values) => [name, ...values]));
  return parseHostFacts([...kept, ...added].map((line) => line.join('\t')).join('\n'));
}

const MIB = 1024 * 1024;

/** A bundle of files that are nowhere: 100 MiB of binaries, 500 MiB of images. */
export const BUNDLE: Bundle = {
  directory: '/bundle',
  kubernetesVersion: '1.34.3',
  architecture: 'amd64',
  source: 'modules',
  versions: {},
  files: ['kubelet', 'kubeadm', 'kubectl', 'crictl', 'etcdctl', 'etcdutl'].map((name) => file(`bin/${name}`, 16 * MIB)),
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
  return { path, size, sha256: 'a'.repeat(64), mode: 0o755 };
}

function image(name: string, neededBy: Bundle['images'][number]['neededBy'], size: number): Bundle['images'][number] {
  const archive = `images/${name.slice(name.lastIndexOf('/') + 1).replace(':', '-')}.tar`;
  return { file: archive, names: [name], neededBy, sha256: 'b'.repeat(64), size, version: '1' };
}
