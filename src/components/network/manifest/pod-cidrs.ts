import { containersIn, isMap, type ManifestObject, valueBelow } from '../objects/objects.js';

/** The network of the pods as a known pod network takes it from its manifest. */
export interface PodCidr {
  object: ManifestObject;
  /** For people: `Network in net-conf.json`. */
  where: string;
  cidr: string;
}

/**
 * Every pod network that the objects of flannel, Calico and Cilium name. A network that is not known here names its own in
 * ways that nobody here reads.
 */
export function podCidrsOf(objects: readonly ManifestObject[]): PodCidr[] {
  return objects.flatMap((object) =>
    READERS.flatMap((read) => read(object).map(({ where, cidr }) => ({ object, where, cidr }))),
  );
}

type Reader = (object: ManifestObject) => { where: string; cidr: string }[];

/** flannel's Documentation/configuration.md. */
const flannel: Reader = ({ kind, value }) => {
  const text = kind === 'ConfigMap' ? valueBelow(value, 'data', 'net-conf.json') : undefined;
  if (typeof text !== 'string') return [];
  try {
    const { Network } = JSON.parse(text) as Record<string, unknown>;
    return [{ where: 'Network in net-conf.json', cidr: String(Network) }];
  } catch {
    return [{ where: 'net-conf.json, which is no JSON,', cidr: 'unreadable' }];
  }
};

/** The variable of calico-node with which it makes its first pool; without one it reads kubeadm's configuration. */
const calicoNode: Reader = ({ value }) =>
  containersIn(value).flatMap(({ env }) =>
    (Array.isArray(env) ? env.filter(isMap) : [])
      .filter(({ name, value: cidr }) => name === 'CALICO_IPV4POOL_CIDR' && typeof cidr === 'string')
      .map(({ value: cidr }) => ({ where: 'CALICO_IPV4POOL_CIDR', cidr: String(cidr) })),
  );

/** The operator's own resource; its CIDR is 192.168.0.0/16 where people copy it. */
const calicoOperator: Reader = ({ apiVersion, kind, value }) => {
  if (kind !== 'Installation' || !apiVersion.startsWith('operator.tigera.io/')) return [];
  const pools = valueBelow(value, 'spec', 'calicoNetwork', 'ipPools');
  return (Array.isArray(pools) ? pools.filter(isMap) : [])
    .filter(({ cidr }) => isIpv4(cidr))
    .map(({ cidr }) => ({ where: 'spec.calicoNetwork.ipPools', cidr: String(cidr) }));
};

const calicoPool: Reader = ({ apiVersion, kind, value }) => {
  if (kind !== 'IPPool' || !/(^|\.)projectcalico\.org\//.test(apiVersion)) return [];
  const cidr = valueBelow(value, 'spec', 'cidr');
  return isIpv4(cidr) ? [{ where: 'spec.cidr', cidr: String(cidr) }] : [];
};

/** Cilium's ConfigMap. With `ipam: kubernetes` it takes each node's own network, which kubeadm has given to it. */
const cilium: Reader = ({ kind, name, value }) => {
  if (kind !== 'ConfigMap' || name !== 'cilium-config') return [];
  const ipam = valueBelow(value, 'data', 'ipam');
  const cidrs = valueBelow(value, 'data', 'cluster-pool-ipv4-cidr');
  if (typeof cidrs !== 'string' || (ipam !== undefined && ipam !== 'cluster-pool')) return [];
  return [{ where: 'cluster-pool-ipv4-cidr', cidr: cidrs.trim() }];
};

const READERS: readonly Reader[] = [flannel, calicoNode, calicoOperator, calicoPool, cilium];

function isIpv4(cidr: unknown): boolean {
  return typeof cidr === 'string' && !cidr.includes(':');
}
