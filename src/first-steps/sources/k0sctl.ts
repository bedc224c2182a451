import type { Found, FoundBastion, FoundHost } from '../draft.js';
import type { LeftOut } from '../left-out.js';
import { listOf, mapOf, says, textOf, type Values } from '../values.js';

export const isK0sctl = ({ apiVersion }: Values): boolean =>
  String(apiVersion ?? '').startsWith('k0sctl.k0sproject.io/');

/** k0s' own roles; a controller has etcd. */
const ROLES: Record<string, Pick<FoundHost, 'role' | 'runsPods'>> = {
  controller: { role: 'control-plane', runsPods: false },
  'controller+worker': { role: 'control-plane', runsPods: true },
  single: { role: 'control-plane', runsPods: true },
  worker: { role: 'worker', runsPods: true },
};

/** Keys of a host that the draft has. */
const HOST_KEYS = ['role', 'ssh', 'openSSH', 'privateAddress', 'hostname', 'noTaints', 'localhost'];
const SSH_KEYS = ['address', 'user', 'port', 'keyPath', 'bastion'];

/** What a `k0sctl.yaml` says of a cluster. */
export function ofK0sctl(file: Values, leftOut: LeftOut): Found {
  const spec = mapOf(file.spec);
  const hosts = listOf(spec.hosts).flatMap((host, at) => hostOf(mapOf(host), `host ${at + 1}`, leftOut));
  leftOut.addAll('', file, ['apiVersion', 'kind', 'metadata', 'spec']);
  leftOut.addAll('spec.', spec, ['hosts', 'k0s']);
  const k0s = mapOf(spec.k0s);
  leftOut.addAll('spec.k0s.', k0s, ['version', 'config']);
  leftOut.addAll('metadata.', mapOf(file.metadata), ['name']);
  return { name: textOf(mapOf(file.metadata).name), hosts, settings: settingsOf(k0s, leftOut) };
}

function hostOf(host: Values, place: string, leftOut: LeftOut): FoundHost[] {
  const role = ROLES[textOf(host.role) ?? ''];
  const via = mapOf([host.ssh, host.openSSH, host.winRM].find(says));
  const name = textOf(host.hostname);
  const label = name ?? textOf(via.address) ?? textOf(host.privateAddress) ?? place;
  if (role === undefined) {
    leftOut.add('the host', `its role is ${textOf(host.role) ?? 'missing'}`, label);
    return [];
  }
  if (says(host.winRM) || /^windows/i.test(textOf(host.os) ?? '')) {
    leftOut.add('the host', 'it runs Windows, and every host is a Linux', label);
    return [];
  }
  const isHere = mapOf(host.localhost).enabled !== false && host.localhost !== undefined;
  if (isHere) leftOut.add('localhost', 'it is this machine: give its address', label);
  leftOut.addAll('', host, HOST_KEYS, label);
  leftOut.addAll('ssh.', via, SSH_KEYS, label);
  const runsPods = role.runsPods || (role.role === 'control-plane' && host.noTaints === true);
  leftOut.addAll('ssh.bastion.', mapOf(via.bastion), SSH_KEYS.slice(0, -1), label);
  const bastion = says(via.bastion) ? bastionOf(mapOf(via.bastion)) : undefined;
  const ssh = { ...loginOf(via), bastion };
  return [{ name, role: role.role, runsPods, address: textOf(host.privateAddress), ssh }];
}

function loginOf({ address, user, port, keyPath }: Values): FoundBastion {
  return { address, user, port, keyFile: keyPath };
}

/** A bastion's user is root by default, and not the host's own as in cluster.yaml. */
function bastionOf(bastion: Values): FoundBastion {
  return loginOf({ ...bastion, user: textOf(bastion.user) ?? 'root' });
}

/** k0s' configuration is a file of its own within k0sctl's. */
function settingsOf({ version, config }: Values, leftOut: LeftOut): Values {
  const spec = mapOf(mapOf(config).spec);
  const [api, network] = [mapOf(spec.api), mapOf(spec.network)];
  leftOut.addAll('k0s ', spec, ['api', 'network']);
  leftOut.addAll('k0s api.', api, ['externalAddress', 'port', 'sans']);
  leftOut.addAll('k0s network.', network, ['podCIDR', 'serviceCIDR', 'clusterDomain', 'controlPlaneLoadBalancing']);
  const external = textOf(api.externalAddress);
  if (external === undefined && says(api.port) && Number(api.port) !== 6443) {
    leftOut.add(`k0s api.port ${textOf(api.port)}`, 'the port of the API servers is "kubernetes.apiServer.port"');
  }
  return {
    // k0s has its own releases of each version: v1.34.1+k0s.0.
    version: textOf(version)?.replace(/\+.*$/, ''),
    podSubnet: network.podCIDR,
    serviceSubnet: network.serviceCIDR,
    dnsDomain: network.clusterDomain,
    certificateSANs: api.sans,
    ...virtualIp(mapOf(network.controlPlaneLoadBalancing), leftOut),
    ...(external && { external: { address: external, port: Number(api.port ?? 6443) } }),
  };
}

/** `10.0.0.100/24` of the first VRRP instance. */
function virtualIp(balancing: Values, leftOut: LeftOut): Values {
  const instances = listOf(mapOf(balancing.keepalived).vrrpInstances);
  const [first = '', ...others] = instances
    .flatMap((one) => listOf(mapOf(one).virtualIPs))
    .flatMap((ip) => textOf(ip) ?? []);
  for (const other of others) leftOut.add(`virtual IP ${other}`, 'a cluster has one');
  const [vip, prefix] = first.split('/');
  return vip ? { vip, ...(prefix && { prefixLength: Number(prefix) }) } : {};
}
