import ipaddr from 'ipaddr.js';

/** An IPv4 network: its first address and its prefix length. */
export type Network = [ipaddr.IPv4, number];

/** @param text such as `10.244.0.0/16`, already of the right form */
export function parseNetwork(text: string): Network {
  const [address, prefix] = ipaddr.IPv4.parseCIDR(text);
  return [ipaddr.IPv4.networkAddressFromCIDR(`${address}/${prefix}`), prefix];
}

export function showNetwork([first, prefix]: Network): string {
  return `${first}/${prefix}`;
}

export function contains(network: Network, address: string): boolean {
  return ipaddr.IPv4.parse(address).match(network);
}

export function overlap(a: Network, b: Network): boolean {
  return a[0].match(b) || b[0].match(a);
}

/** Whether a text is an IPv4 address, and no DNS name. */
export function isIpv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

/** Why an address cannot be a machine's own, or undefined when it can. */
export function unusable(address: string): string | undefined {
  switch (ipaddr.IPv4.parse(address).range()) {
    case 'unspecified':
      return 'means "every address", not one machine';
    case 'loopback':
      return 'is a loopback address, which every machine has to itself';
    case 'linkLocal':
      return 'is a link-local address, which changes and is not routed';
    case 'multicast':
      return 'is a multicast address';
    case 'broadcast':
      return 'is the broadcast address';
    default:
      return undefined;
  }
}

/** `network` or `broadcast` where an address is the first or last one of its subnet, and so no machine's. */
export function edgeOf(address: string, prefix: number): 'network' | 'broadcast' | undefined {
  const subnet = `${address}/${prefix}`;
  if (ipaddr.IPv4.networkAddressFromCIDR(subnet).toString() === address) return 'network';
  if (ipaddr.IPv4.broadcastAddressFromCIDR(subnet).toString() === address) return 'broadcast';
  return undefined;
}
