import { Facts, factsProgram } from '../../activities/remote-facts.js';
import { type OsRelease, parseOsRelease } from '../../components/distribution/index.js';
import type { RemoteHost } from '../../hosts/types.js';

export interface Card {
  card: string;
  address: string;
  prefixLength: number;
}

/** What a host says of itself to whom no cluster is known yet: the preflight asks for more, and needs a cluster for it. */
export interface HostLook {
  os: OsRelease;
  /** As `uname -m` has it. */
  machine: string;
  /** Those that other hosts may reach; not those of bridges, tunnels and the host itself. */
  cards: Card[];
  /** Every address that it has. */
  addresses: string[];
  gateways: string[];
  /** The address from which it would go out. */
  source: string | undefined;
  /** Whether a kubelet was joined there. */
  isNode: boolean;
}

/** Reads only, and needs no root: what hosts answer to a first look must not depend on sudo. */
const SCRIPT = `row machine "$(uname -m)"
while read -r line; do row os "$line"; done </etc/os-release
ip -o -4 address show | while read -r _ card _ address _; do row address "\${card%%@*}" "$address"; done
ip -4 route show default | while read -r _ via gateway _; do [ "$via" != via ] || row gateway "$gateway"; done
# An address of RFC 5737: nothing is sent there, the kernel only says from where it would be.
[[ $(ip -4 route get 192.0.2.1) =~ \\ src\\ ([0-9.]+) ]] && row source "\${BASH_REMATCH[1]}"
[ ! -e /etc/kubernetes/kubelet.conf ] || row node yes`;

const LOOK_MS = 30_000;

/** Cards of runtimes, pod networks and hypervisors: what is on them is no other machine's business. */
const OWN_CARDS = /^(lo|docker|br-|cni|flannel|cali|cilium|lxc|veth|virbr|kube-|tunl|vxlan|nodelocaldns|dummy|podman)/;

/**
 * Asks a host in one round trip.
 * @throws KubewrightError KW2xx or KW41x where it cannot be reached, or does not answer
 */
export async function lookAtHost(host: RemoteHost, signal: AbortSignal): Promise<HostLook> {
  const { stdout } = await host.run(factsProgram(SCRIPT), { signal, timeoutMs: LOOK_MS, root: false });
  return parseLook(new Facts(stdout));
}

/** What the facts of the script say. */
export function parseLook(facts: Facts): HostLook {
  const all = (name: string): string[] => facts.rows(name).flat();
  const cards = facts.rows('address').map(([card = '', cidr = '']) => {
    const [address = '', prefix] = cidr.split('/');
    return { card, address, prefixLength: Number(prefix ?? 32) };
  });
  return {
    os: parseOsRelease(all('os').join('\n')),
    machine: all('machine')[0] ?? '',
    // A /32 beside others is a virtual IP, or a service's.
    cards: cards.filter(({ card, prefixLength }) => !OWN_CARDS.test(card) && prefixLength < 32),
    addresses: cards.map(({ address }) => address),
    gateways: all('gateway'),
    source: all('source')[0],
    isNode: all('node').length > 0,
  };
}
