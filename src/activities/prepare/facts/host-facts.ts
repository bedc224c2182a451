import { type OsRelease, parseOsRelease } from '../../../components/distribution/index.js';
import type { Meaning } from '../../../components/leftovers.js';
import { type Lease, parseLease } from '../../lease/lease.js';
import type { Facts } from '../../remote-facts.js';
import type { FirewallKind } from '../firewalls-script.js';

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

export interface Listener {
  port: number;
  /** Cut to 15 characters by the kernel; empty where there is none to tell. */
  process: string;
}

export interface NameServerFacts {
  /** Whether systemd-resolved runs: the kubelet is given its file then. */
  resolved: boolean;
  /** Addresses by file; a file that is not there is not in it. */
  byFile: Map<string, string[]>;
}

/** A variable that sends programs through a proxy, or around it. */
export interface ProxyFacts {
  /** `login`: /etc/environment. `systemd`: what every unit inherits. `packages`: the package manager's own configuration. */
  source: 'login' | 'systemd' | 'packages';
  name: 'http_proxy' | 'https_proxy' | 'all_proxy' | 'no_proxy';
  /** Without user and password. */
  value: string;
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
  /** Whether SELinux refuses what its policy does not allow, rather than only noting it. */
  selinuxEnforcing: boolean;
  hostname: string;
  machineId: string;
  missingTools: string[];
  addresses: CardAddress[];
  /** Ports listened on (TCP), each with every process that does. */
  ports: Listener[];
  /** The same of UDP. The kernel's own sockets, VXLAN's for example, have no process. */
  udpPorts: Listener[];
  /** Networks that it has a route to, the default aside, and the card that leads there (empty for one that leads nowhere). */
  routes: { network: string; card: string }[];
  nameServers: NameServerFacts;
  proxies: ProxyFacts[];
  /** Firewalls that let nothing in by default. */
  firewalls: { kind: FirewallKind; name: string }[];
  /** Whether any of their rules names the network of the pods, or the bridge of flannel. */
  firewallLetsPodsIn: boolean;
  /** What could not be asked, for whatever reason: not a "no". */
  unknowns: { what: string; tool: string; why: string }[];
  cpus: number;
  memoryTotalKiB: number;
  memoryAvailableKiB: number;
  swaps: { path: string; sizeKiB: number; usedKiB: number }[];
  disks: DiskFacts[];
  /** Folders of `disks` on file systems from which no program runs, with their mount points. */
  noexec: { folder: string; mount: string }[];
  /** Links of a node's folders that lead to no directory. */
  danglingLinks: { path: string; target: string }[];
  /** Kernel features that are there, or whose module can be loaded. */
  features: Map<string, 'present' | 'loadable'>;
  /** Modules that modprobe's configuration keeps from being loaded, with the line that does. */
  blockedModules: { module: string; rule: string }[];
  /** Services of a node that run or start at boot. */
  services: { name: string; active: boolean }[];
  /** Files that the steps replace: as packages brought them, written by Kubewright, or somebody's own. */
  files: { path: string; state: 'ours' | 'packaged' | 'foreign' }[];
  /** Containers by containerd's namespace; `docker` counts those that Docker keeps, running or not. */
  containers: { namespace: string; count: number }[];
  /** The container runtime that is there, or that the distribution would bring; and the path of the one that runs, if any. */
  runtime: { state: 'installed' | 'candidate'; version: string | undefined; program: string };
  /** When the certificates of a node end, and what the host's clock says, in seconds since 1970. */
  certificates: { path: string; end: number }[];
  now: number;
  cgroupVersion: 1 | 2 | undefined;
  cgroupControllers: string[];
  /** Whether /proc/sys can be written. */
  sysctlsWritable: boolean;
  /** The ownership record as it stands there, or undefined. */
  owner: string | undefined;
  /** Which run is changing the host, or was; undefined when none was since it came to be. */
  lease: Lease | 'unreadable' | undefined;
  /** What a Kubernetes node or its installer left there, ours included. */
  leftovers: FoundLeftover[];
  kubeletActive: boolean;
  /** `sha256:…` of /etc/kubernetes/pki/ca.crt. */
  caFingerprint: string | undefined;
  /** API server that the host's kubelet talks to. */
  server: string | undefined;
}

/** What the facts of `hostFactsScript` say. */
export function parseHostFacts(facts: Facts): HostFacts {
  const all = (name: string): string[][] => facts.rows(name);
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
    selinuxEnforcing: one('selinux')[0] === 'enforcing',
    hostname: one('hostname')[0] ?? '',
    machineId: one('machine-id')[0] ?? '',
    missingTools: all('missing').flat(),
    addresses: all('address').map(cardAddress),
    ports: all('port').map(listener),
    udpPorts: all('udp').map(listener),
    ...networkOf(all),
    unknowns: all('unknown').map(([what = '', tool = '', why = '']) => ({ what, tool, why })),
    cpus: Number(one('cpus')[0] ?? 0),
    memoryTotalKiB: memory.get('MemTotal') ?? 0,
    memoryAvailableKiB: memory.get('MemAvailable') ?? 0,
    swaps: all('swap').map(([path = '', size, used]) => ({ path, sizeKiB: Number(size), usedKiB: Number(used) })),
    disks: all('disk').map(([folder = '', device = '', total, free, mount = '']) => {
      return { folder, device, totalKiB: Number(total), freeKiB: Number(free), mount };
    }),
    features: new Map(all('feature').map(([feature = '', state]) => [feature, state as 'present' | 'loadable'])),
    blockedModules: all('blocked').map(([module = '', rule = '']) => ({ module, rule })),
    noexec: all('noexec').map(([folder = '', mount = '']) => ({ folder, mount })),
    danglingLinks: all('dangling').map(([path = '', target = '']) => ({ path, target })),
    ...servicesOf(all),
    cgroupVersion: one('cgroup')[0] ? (one('cgroup')[0] === 'cgroup2fs' ? 2 : 1) : undefined,
    cgroupControllers: one('controllers'),
    sysctlsWritable: one('sysctls')[0] === 'writable',
    owner: one('owner')[0],
    lease: leaseOf(all('lease').flat()),
    leftovers: foundLeftovers(all('leftover')),
    kubeletActive: one('kubelet')[0] === 'active',
    caFingerprint: one('ca')[0],
    server: one('server')[0],
  };
}

function leaseOf(lines: string[]): HostFacts['lease'] {
  return lines.includes('state=unreadable') ? 'unreadable' : parseLease(lines);
}

type Lines = (name: string) => string[][];

function listener([port, process = '']: string[]): Listener {
  return { port: Number(port), process };
}

function networkOf(
  all: Lines,
): Pick<HostFacts, 'routes' | 'nameServers' | 'proxies' | 'firewalls' | 'firewallLetsPodsIn'> {
  const files = all('resolver-file').flat();
  const servers = all('nameserver');
  return {
    routes: all('route').map(([network = '', card = '']) => ({ network, card })),
    nameServers: {
      resolved: all('resolved').length > 0,
      byFile: new Map(
        files.map((file) => [file, servers.filter(([of]) => of === file).map(([, address = '']) => address)]),
      ),
    },
    proxies: all('proxy').map(([source, name, value = '']) => ({ source, name, value }) as ProxyFacts),
    firewalls: all('firewall').map(([kind, name = '']) => ({ kind: kind as FirewallKind, name })),
    firewallLetsPodsIn: all('firewall-lets-pods-in').length > 0,
  };
}

function servicesOf(
  all: Lines,
): Pick<HostFacts, 'services' | 'files' | 'containers' | 'runtime' | 'certificates' | 'now'> {
  const [state = 'candidate', version = ''] = all('runtime')[0] ?? [];
  return {
    services: all('service').map(([name = '', active]) => ({ name, active: active === 'active' })),
    files: all('file').map(([path = '', owner]) => ({ path, state: owner as 'ours' | 'packaged' | 'foreign' })),
    containers: all('containers').map(([namespace = '', count]) => ({ namespace, count: Number(count) || 0 })),
    runtime: {
      state: state as 'installed' | 'candidate',
      version: /\d+\.\d+(\.\d+)?/.exec(version)?.[0],
      program: all('runtime-program')[0]?.[0] ?? '',
    },
    certificates: all('certificate').map(([path = '', end]) => ({ path, end: Number(end) })),
    now: Number(all('now')[0]?.[0] ?? 0),
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
