import { PROGRAM_ROOT } from '../../../src/render/program-paths.js';
import { addresses } from './functions.js';
import type { FakeHost } from './host.js';
import { leaseLines } from './lease.js';

/** Names of rows that the preflight's script has. A new one has to be given its answer here. */
const KNOWN = new Set(
  `address blocked ca cgroup certificate containers controllers cpus dangling disk feature file firewall
firewall-lets-pods-in hostname init kernel kubelet lease leftover machine-id memory missing nameserver noexec now os owner proxy
resolved resolver-file route runtime runtime-program selinux server service swap sysctls systemd container unknown`.split(
    /\s+/,
  ),
);

/** Folders of the preflight's script that grow, each on the one disk of a fake host. */
const GROWING = ['/var/lib/containerd', '/var/lib/kubelet', '/var/lib/kubewright', PROGRAM_ROOT];

/** Whether a script is the preflight's (`hostFactsScript`): it tells rows, by its own `asked`. */
export function isPreflight(script: string): boolean {
  return script.includes('\nasked() {\n  local what=');
}

/** What the preflight's script prints. @throws Error for a row that is not known here */
export function answerPreflight(host: FakeHost, script: string): string {
  const asked = [...script.matchAll(/(?:^|[\s;{(])row ([a-z-]+)/gm)].map(([, name = '']) => name);
  const unknown = asked.find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw new Error(`a row of the preflight that is not known: ${unknown}`);
  const features = [...script.matchAll(/^feature (\w+)$/gm)].map(([, module = '']) => module);
  const lines = [
    ...machine(host),
    ...network(host),
    ...state(host),
    ...features.map((name) => ['feature', name, 'present']),
  ];
  return `${lines.map((line) => `row ${line.join('\t')}`).join('\n')}\nfacts end\n`;
}

function machine(host: FakeHost): string[][] {
  const os = (host.files.get('/etc/os-release') ?? '').trim().split('\n');
  return [
    ['kernel', 'Linux', 'x86_64', '6.1.0-fake'],
    ['init', 'systemd'],
    ['systemd', '252'],
    ['container', 'none'],
    ['hostname', host.name],
    ['machine-id', host.machineId],
    ...os.map((line) => ['os', line]),
    ['cpus', '4'],
    ['memory', 'MemTotal', '8388608'],
    ['memory', 'MemAvailable', '7340032'],
    ...GROWING.map((folder) => ['disk', folder, '1', '104857600', '94371840', '/']),
    ['cgroup', 'cgroup2fs'],
    ['controllers', 'cpuset', 'cpu', 'io', 'memory', 'pids'],
    ['sysctls', 'writable'],
    ['runtime', 'candidate', '1.6.20~ds1-1+deb12u1'],
    ['now', String(Math.floor(Date.now() / 1_000))],
  ];
}

function network(host: FakeHost): string[][] {
  return [
    ...addresses(host)
      .split('\n')
      .map((line) => ['address', ...line.split(' ')]),
    ['route', host.cluster.config.hosts[0]?.address.replace(/\.\d+\.\d+$/, '.0.0/16') ?? '', 'eth0'],
    ['port', '22', 'sshd'],
    ['resolver-file', '/etc/resolv.conf'],
    ['nameserver', '/etc/resolv.conf', '192.0.2.53'],
  ];
}

function state(host: FakeHost): string[][] {
  const owner = host.files.get('/etc/kubewright/owner.json')?.replace(/[\n\t]/g, '');
  const server = /server: (\S+)/.exec(host.files.get('/etc/kubernetes/kubelet.conf') ?? '')?.[1];
  return [
    ...(owner === undefined ? [] : [['owner', owner]]),
    ...leaseLines(host).map((line) => ['lease', line]),
    ...(host.active.has('kubelet') ? [['kubelet', 'active']] : []),
    ...(server === undefined ? [] : [['server', server]]),
  ];
}
