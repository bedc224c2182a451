import { DEFAULTS } from '../../../src/cluster/defaults.js';
import type { Role } from '../../../src/cluster/types.js';
import { KubewrightError } from '../../../src/errors.js';
import type { GuestSpec, HostKind, LabPlan, LabUpOptions, PlannedHost, Subnet, Topology } from '../types.js';
import { HOST_KINDS } from '../types.js';

/** Last octets: control planes from .11, workers from .21, etcd hosts from .91, directors from .97, then the bastion and the VIP. */
const FIRST_OCTET: Record<Role, number> = { 'control-plane': 11, worker: 21, etcd: 91, director: 97 };
const BASTION_OCTET = 99;
const VIP_OCTET = 100;
const MOST_WORKERS = 69;
const PREFIX: Record<Role, string> = { 'control-plane': 'cp', worker: 'w', etcd: 'etcd', director: 'lb' };

/** The login user of hosts whose kind refuses root. */
export const SUDO_USER = 'ops';
/** Variable that the generated cluster.yaml names for a password for sudo. */
export const SUDO_PASSWORD_ENV = 'KUBEWRIGHT_SUDO_PASSWORD';

/**
 * The hosts of a lab that no cluster.yaml describes: three control planes as soon as there are three hosts for them
 * (else one), three etcd hosts with external etcd, workers for the rest.
 *
 * @param subnet a /24
 * @throws KW603 for a number of hosts that makes no cluster, or kinds of hosts that are not there: all of it at once
 */
export function planHosts(options: LabUpOptions, subnet: Subnet): LabPlan {
  const topology = options.topology ?? 'stacked';
  const count = options.hosts ?? (topology === 'stacked' ? 5 : 7);
  const counts = countRoles(count, topology);
  const at = (octet: number): string => subnet.gateway.replace(/\d+$/, String(octet));
  const hosts = (['etcd', 'control-plane', 'worker'] as const).flatMap((role) =>
    Array.from({ length: counts[role] }, (_, index) =>
      plainHost(`${PREFIX[role]}-${index + 1}`, at(FIRST_OCTET[role] + index), role),
    ),
  );
  const planned = withGuests(withKinds(hosts, options.kinds ?? {}, at(BASTION_OCTET)), options.guests ?? {});
  const { serviceSubnet } = DEFAULTS.kubernetes;
  return { hosts: planned, subnet, vip: at(VIP_OCTET), topology, serviceSubnet, kubernetes: options.kubernetes };
}

function countRoles(count: number, topology: Topology): Record<Role, number> {
  const etcd = topology === 'external-etcd' ? 3 : 0;
  const rest = count - etcd;
  const controlPlanes = rest >= 3 ? 3 : 1;
  const workers = rest - controlPlanes;
  if (Number.isInteger(count) && workers >= 0 && workers <= MOST_WORKERS) {
    return { etcd, director: 0, 'control-plane': controlPlanes, worker: workers };
  }
  throw new KubewrightError('KW603', `A lab cannot have ${count} hosts${etcd ? ' with external etcd' : ''}.`, {
    hint: `Use ${etcd + 1} to ${etcd + 3 + MOST_WORKERS} hosts.`,
  });
}

export function plainHost(name: string, address: string, role: PlannedHost['role']): PlannedHost {
  return {
    name,
    address,
    role,
    kinds: [],
    user: 'root',
    sshPort: 22,
    bastion: null,
    sudoPasswordEnv: null,
    guest: null,
  };
}

/** Name of the host that a lab adds for hosts behind a bastion. */
const BASTION = 'bastion';

/** Gives hosts their kinds, and adds the bastion where one of them needs it. */
export function withKinds(hosts: PlannedHost[], kinds: Record<string, HostKind[]>, bastion: string): PlannedHost[] {
  checkKinds(hosts, kinds);
  const planned = hosts.map((host) => withOwnKinds(host, [...new Set([...host.kinds, ...(kinds[host.name] ?? [])])]));
  const stranded = planned.some((host) => host.kinds.includes('bastion') && host.bastion === null);
  if (!stranded) return planned;
  const behind = planned.map((host) =>
    host.kinds.includes('bastion') && host.bastion === null ? { ...host, bastion: BASTION } : host,
  );
  return [...behind, plainHost(BASTION, bastion, 'bastion')];
}

/** @throws KW603 for guests that are not among the hosts */
export function withGuests(hosts: PlannedHost[], guests: Record<string, GuestSpec>): PlannedHost[] {
  const missing = Object.keys(guests).filter((name) => !hosts.some((host) => host.name === name));
  if (missing.length === 0) return hosts.map((host) => ({ ...host, guest: guests[host.name] ?? null }));
  throw new KubewrightError('KW603', `Guests: there is no host ${missing.join(', ')}.`, {
    hint: `Hosts: ${hosts.map(({ name }) => name).join(', ')}.`,
  });
}

function withOwnKinds(host: PlannedHost, kinds: HostKind[]): PlannedHost {
  const wantsUser = kinds.includes('sudo') || kinds.includes('sudo-password');
  return {
    ...host,
    kinds,
    user: wantsUser && host.user === 'root' ? SUDO_USER : host.user,
    sudoPasswordEnv: kinds.includes('sudo-password') ? (host.sudoPasswordEnv ?? SUDO_PASSWORD_ENV) : null,
  };
}

function checkKinds(hosts: PlannedHost[], kinds: Record<string, HostKind[]>): void {
  const problems = Object.entries(kinds).flatMap(([name, own]) => [
    ...(hosts.some((host) => host.name === name) ? [] : [`there is no host ${name}`]),
    ...own.filter((kind) => !HOST_KINDS.includes(kind)).map((kind) => `${name}: there is no kind "${kind}"`),
    ...(own.includes('sudo') && own.includes('sudo-password')
      ? [`${name}: sudo asks for a password or it does not`]
      : []),
  ]);
  if (problems.length === 0) return;
  throw new KubewrightError('KW603', `Kinds of hosts: ${problems.join('; ')}.`, {
    hint: `Hosts: ${hosts.map(({ name }) => name).join(', ')}. Kinds: ${HOST_KINDS.join(', ')}.`,
  });
}

/** A locally administered address that says which host it is: 02, a fixed byte, and the four of the IPv4 address. */
export function macAddress(address: string): string {
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return ['02', '6b', ...octets].join(':');
}
