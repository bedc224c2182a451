import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { stringify } from 'yaml';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import { loadCluster } from '../../../src/cluster/load.js';
import type { Cluster } from '../../../src/cluster/types.js';
import { makeFakeBundle } from './bundle.js';
import { type FakeHosts, startFakeHosts } from './index.js';

export interface FakeClusterOptions {
  /** Folder for what belongs to it: cluster.yaml, keys, the bundle. */
  directory: string;
  name: string;
  controlPlanes: number;
  workers: number;
  /** What the times of real hosts are multiplied by. Default 1. */
  pace?: number;
  /** So many workers never say a word. Default 0. */
  silent?: number;
  /** See `startFakeHosts`. */
  loader?: string[];
}

/** A cluster of fake hosts, and the file that describes it. */
export interface FakeClusterFiles {
  file: string;
  cluster: Cluster;
  hosts: FakeHosts;
  /** Names of those that never say a word. */
  silent: string[];
}

const VERSION = DEFAULTS.kubernetes.version;

/** Starts fake hosts and writes all that an install of them needs: cluster.yaml, a key, known_hosts, a bundle. */
export async function makeFakeCluster(options: FakeClusterOptions): Promise<FakeClusterFiles> {
  const { directory, name, controlPlanes, workers, pace = 1, loader } = options;
  const bundle = join(directory, 'bundle');
  await mkdir(directory, { recursive: true });
  await makeFakeBundle(bundle, VERSION);
  const login = ed25519();
  const host = ed25519();
  const keyFile = join(directory, 'id_ed25519');
  await writeFile(keyFile, login.private, { mode: 0o600 });
  const names = [...numbered('cp', controlPlanes), ...numbered('worker', workers)];
  const file = join(directory, 'cluster.yaml');
  const write = (ports: Record<string, number>) =>
    writeFile(file, stringify(described(name, names, { bundle, keyFile, directory }, ports)));
  // Their ports are known once they run, and they are told the cluster before.
  await write({});
  const silent = names.slice(names.length - (options.silent ?? 0));
  const { cluster: config } = await loadCluster(file);
  const keys = { host: host.private, login: login.public };
  const hosts = await startFakeHosts({ cluster: config, keys, pace, silent }, loader);
  await write(hosts.ports);
  const [type = '', key = ''] = host.public.split(' ');
  const known = Object.values(hosts.ports).map((port) => `[127.0.0.1]:${port} ${type} ${key}\n`);
  await writeFile(join(directory, 'known_hosts'), known.join(''));
  return { file, cluster: (await loadCluster(file)).cluster, hosts, silent };
}

function numbered(role: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${role}-${String(index + 1).padStart(4, '0')}`);
}

/** ssh2 leaves out the first byte of a public half where it is zero: one key in 256 is none, and another one is made. */
function ed25519() {
  for (;;) {
    const key = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(key.private) instanceof Error)) return key;
  }
}

function described(
  name: string,
  names: string[],
  { bundle, keyFile, directory }: { bundle: string; keyFile: string; directory: string },
  ports: Record<string, number>,
): object {
  return {
    apiVersion: 'kubewright.dev/v1alpha1',
    kind: 'Cluster',
    metadata: { name },
    spec: {
      // Room for four thousand nodes: each takes a /24.
      kubernetes: { version: VERSION, podSubnet: '10.128.0.0/12' },
      endpoint: { vip: '10.88.255.100', prefixLength: 16 },
      packages: { bundle },
      ssh: {
        user: 'root',
        keyFile,
        agent: false,
        configFile: null,
        knownHostsFile: join(directory, 'known_hosts'),
        hostKeys: 'strict',
      },
      hosts: names.map((each, index) => ({
        name: each,
        address: `10.88.${Math.floor(index / 250)}.${(index % 250) + 1}`,
        role: each.startsWith('cp-') ? 'control-plane' : 'worker',
        ssh: { address: '127.0.0.1', port: ports[each] ?? index + 1 },
      })),
    },
  };
}
