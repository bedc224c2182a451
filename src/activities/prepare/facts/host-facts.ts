import { type OsRelease, parseOsRelease } from '../../../distribution/index.js';
import type { Meaning } from '../../node-leftovers.js';

export interface CardAddress {
  card: string;
  /** Without the prefix length. */
  address: string;
  prefixLength: number;
  mac: string;
}

/** One of the folders that grow during an installation, and the file system it lies (or would lie) on. */
export interface DiskFacts {
  folder: string;
  /** Number of the file system: folders with the same one share its space. */
  device: string;
  totalKiB: number;
  freeKiB: number;
  mount: string;
}

/** Something that is on the host of what `node-leftovers` lists. */
export interface FoundLeftover {
  /** A path, or in words what it is: `the network interface cni0`. */
  name: string;
  by: string;
  means: Meaning;
}

/** What a host is, as its own kernel and files tell it. Sizes in KiB, as the kernel counts. */
export interface HostFacts {
  kernel: { name: string; machine: string; release: string };
  /** Name of process 1. */
  init: string;
  /** Version of systemd, 0 when there is none. */
  systemd: number;
  /** Kind of container the host runs in, or undefined for a machine of its own. */
  container: string | undefined;
  os: OsRelease;
  hostname: string;
  machineId: string;
  missingTools: string[];
  addresses: CardAddress[];
  /** Ports listened on (TCP) and the process that does. */
  ports: { port: number; process: string }[];
  cpus: number;
  memoryTotalKiB: number;
  memoryAvailableKiB: number;
  swaps: { path: string; sizeKiB: number; usedKiB: number }[];
  disks: DiskFacts[];
  /** Kernel features that are there, or whose module can be loaded. */
  features: Map<string, 'present' | 'loadable'>;
  cgroupVersion: 1 | 2;
  cgroupControllers: string[];
  /** Whether /proc/sys can be written. */
  sysctlsWritable: boolean;
  /** The ownership record as it stands there, or undefined. */
  owner: string | undefined;
  /** What a Kubernetes node or its installer left there, ours included. */
  leftovers: FoundLeftover[];
  kubeletActive: boolean;
  /** `sha256:…` of /etc/kubernetes/pki/ca.crt. */
  caFingerprint: string | undefined;
  /** API server that the host's kubelet talks to. */
  server: string | undefined;
}

/** Reads what `hostFactsScript` printed. */
export function parseHostFacts(stdout: string): HostFacts {
  const lines = stdout.split('\n').map((line) => line.split('\t'));
  const all = (name: string): string[][] => lines.filter(([key]) => key === name).map(([, ...values]) => values);
  const one = (name: string): string[] => all(name)[0] ?? [];
  const memory = new Map(all('memory').map(([name = '', kib]) => [name, Number(kib)]));
  const [name = '', machine = '', release = ''] = one('kernel');
  const container = one('container')[0];
  return {
    kernel: { name, machine, release },
    init: one('init')[0] ?? '',
    systemd: Number.parseInt(one('systemd')[0] ?? '', 10) || 0,
    container: container === '' || container === 'none' ? undefined : container,
    os: parseOsRelease(all('os').flat().join('\n')),
    hostname: one('hostname')[0] ?? '',
    machineId: one('machine-id')[0] ?? '',
    missingTools: all('missing').flat(),
    addresses: all('address').map(cardAddress),
    ports: all('port').map(([port, process = '']) => ({ port: Number(port), process })),
    cpus: Number(one('cpus')[0] ?? 0),
    memoryTotalKiB: memory.get('MemTotal') ?? 0,
    memoryAvailableKiB: memory.get('MemAvailable') ?? 0,
    swaps: all('swap').map(([path = '', size, used]) => ({ path, sizeKiB: Number(size), usedKiB: Number(used) })),
    disks: all('disk').map(([folder = '', device = '', total, free, mount = '']) => {
      return { folder, device, totalKiB: Number(total), freeKiB: Number(free), mount };
    }),
    features: new Map(all('feature').map(([feature = '', state]) => [feature, state as 'present' | 'loadable'])),
    cgroupVersion: one('cgroup')[0] === 'cgroup2fs' ? 2 : 1,
    cgroupControllers: one('controllers'),
    sysctlsWritable: one('sysctls')[0] === 'writable',
    owner: one('owner')[0],
    leftovers: foundLeftovers(all('leftover')),
    kubeletActive: one('kubelet')[0] === 'active',
    caFingerprint: one('ca')[0],
    server: one('server')[0],
  };
}

/** Each name once: there may be hundreds of chains of one kind. */
function foundLeftovers(lines: string[][]): FoundLeftover[] {
  const found = lines.map(([means, by = '', name = '']) => ({ name, by, means: means as Meaning }));
  return [...new Map(found.map((each) => [each.name, each])).values()];
}

function cardAddress([card = '', cidr = '', mac = '']: string[]): CardAddress {
  const [address = '', prefixLength] = cidr.split('/');
  return { card, address, prefixLength: Number(prefixLength ?? 32), mac };
}
