import ipaddr from 'ipaddr.js';
import { KubewrightError } from '../../../src/errors.js';
import { run } from '../machine/run.js';
import type { Subnet } from '../types.js';

/** Networks that the machine has addresses in or routes to, as CIDRs, the default route left out. */
export async function networksInUse(): Promise<string[]> {
  const routes = JSON.parse(await run('ip', ['-json', '-4', 'route', 'show', 'table', 'all'])) as { dst: string }[];
  return [...new Set(routes.map(({ dst }) => dst).filter((dst) => dst !== 'default'))].map((dst) =>
    dst.includes('/') ? dst : `${dst}/32`,
  );
}

export function overlap(one: string, other: string): boolean {
  const [a, aBits] = ipaddr.IPv4.parseCIDR(one);
  const [b, bBits] = ipaddr.IPv4.parseCIDR(other);
  return a.match(b, Math.min(aBits, bBits));
}

/**
 * The first 10.88.N.0/24 that overlaps nothing in use.
 *
 * @throws KW604 when there is none
 */
export function chooseSubnet(inUse: string[]): Subnet {
  for (let n = 0; n < 256; n++) {
    const cidr = `10.88.${n}.0/24`;
    if (!inUse.some((used) => overlap(used, cidr))) return { cidr, prefixLength: 24, gateway: `10.88.${n}.1` };
  }
  throw new KubewrightError('KW604', 'No network of 10.88.0.0/16 is free on this machine.', {
    hint: 'Name one in a cluster.yaml and use `kubewright lab up --cluster`.',
  });
}

/**
 * The subnet that a cluster.yaml's hosts and VIP lie in; the machine takes the first address that none of them has.
 *
 * @throws KW604 when it overlaps a network in use
 */
export function subnetOf(vip: string, prefixLength: number, taken: string[], inUse: string[]): Subnet {
  const cidr = `${ipaddr.IPv4.networkAddressFromCIDR(`${vip}/${prefixLength}`)}/${prefixLength}`;
  const used = inUse.find((network) => overlap(network, cidr));
  if (used) {
    throw new KubewrightError('KW604', `The hosts' network ${cidr} is in use on this machine (${used}).`, {
      hint: "Take down what uses it (`ip route` shows it), or rehearse on another machine: a lab uses the file's own addresses.",
    });
  }
  const network = ipaddr.IPv4.parseCIDR(cidr)[0].toByteArray();
  for (let last = (network[3] ?? 0) + 1; last < 255; last++) {
    const gateway = [...network.slice(0, 3), last].join('.');
    if (!taken.includes(gateway)) return { cidr, prefixLength, gateway };
  }
  throw new KubewrightError('KW604', `The network ${cidr} has no address left for this machine.`, {
    hint: 'Use a shorter prefixLength in the cluster.yaml.',
  });
}
