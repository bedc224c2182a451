import type { Found, FoundBastion, FoundHost } from '../draft.js';
import type { LeftOut } from '../left-out.js';
import { isMap, listOf, mapOf, says, textOf, type Values } from '../values.js';

export const isKubeOne = ({ apiVersion }: Values): boolean => /^kubeone\.(k8c\.)?io\//.test(String(apiVersion ?? ''));

const HOST_KEYS = [
  ...['publicAddress', 'privateAddress', 'sshUsername', 'sshPort', 'sshPrivateKeyFile', 'hostname', 'labels', 'taints'],
  ...['bastion', 'bastionPort', 'bastionUser', 'bastionPrivateKeyFile', 'isLeader', 'untaint', 'id', 'sshAgentSocket'],
];

/** What a `kubeone.yaml` says of a cluster. Older ones have their hosts as plain lists. */
export function ofKubeOne(file: Values, leftOut: LeftOut): Found {
  const controlPlanes = hostsOf(file.controlPlane ?? file.hosts, 'control-plane', leftOut);
  const workers = hostsOf(file.staticWorkers, 'worker', leftOut);
  const { kubernetes } = mapOf(file.versions);
  const network = mapOf(file.clusterNetwork);
  leftOut.addAll('versions.', mapOf(file.versions), ['kubernetes']);
  leftOut.addAll('', file, [
    ...['apiVersion', 'kind', 'name', 'controlPlane', 'hosts', 'staticWorkers'],
    'versions',
    'clusterNetwork',
    'apiEndpoint',
  ]);
  leftOut.addAll('clusterNetwork.', network, ['podSubnet', 'serviceSubnet', 'serviceDomainName']);
  return {
    name: textOf(file.name),
    hosts: [...controlPlanes, ...workers],
    settings: {
      version: kubernetes,
      podSubnet: network.podSubnet,
      serviceSubnet: network.serviceSubnet,
      dnsDomain: network.serviceDomainName,
      ...endpointOf(mapOf(file.apiEndpoint), leftOut),
    },
  };
}

function hostsOf(owner: unknown, role: FoundHost['role'], leftOut: LeftOut): FoundHost[] {
  const hosts = isMap(owner) ? owner.hosts : owner;
  if (isMap(owner)) leftOut.addAll(`${role}: `, owner, ['hosts']);
  return listOf(hosts).map((host) => hostOf(mapOf(host), role, leftOut));
}

function hostOf(host: Values, role: FoundHost['role'], leftOut: LeftOut): FoundHost {
  const [address, reached] = [textOf(host.privateAddress), textOf(host.publicAddress)];
  const name = textOf(host.hostname);
  const label = name ?? reached ?? address;
  leftOut.addAll('', host, HOST_KEYS, label);
  // An empty list of taints, which is not the same as none written, lets ordinary pods onto a control plane.
  const isUntainted = host.untaint === true || (host.taints !== undefined && !says(host.taints));
  const bastion = says(host.bastion) ? bastionOf(host) : undefined;
  const login = { user: host.sshUsername, port: host.sshPort, keyFile: host.sshPrivateKeyFile };
  // Behind a bastion the private address is the one that can be reached.
  const ssh = { ...login, address: bastion === undefined ? (reached ?? address) : (address ?? reached), bastion };
  return {
    name,
    role,
    runsPods: role === 'worker' || isUntainted,
    address,
    otherAddresses: [reached],
    labels: host.labels,
    taints: host.taints,
    ssh,
  };
}

function bastionOf({ bastion, bastionPort, bastionUser, bastionPrivateKeyFile }: Values): FoundBastion {
  return { address: bastion, port: bastionPort, user: bastionUser, keyFile: bastionPrivateKeyFile };
}

/** KubeOne brings no load balancer: what its endpoint names is one that is there, unless it is a host. */
function endpointOf(endpoint: Values, leftOut: LeftOut): Values {
  const { host, port, alternativeNames: certificateSANs } = endpoint;
  leftOut.addAll('apiEndpoint.', endpoint, ['host', 'port', 'alternativeNames']);
  const address = textOf(host);
  return { certificateSANs, ...(address && { external: { address, port: Number(port ?? 6443) } }) };
}
