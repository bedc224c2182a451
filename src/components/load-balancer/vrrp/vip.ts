import { listed, type Problem } from '../../../activities/prepare/checks/problem.js';
import type { PeerFacts } from '../../../activities/prepare/facts/cluster-facts.js';
import { gatherFacts } from '../../../activities/remote-facts.js';
import type { Cluster, Role } from '../../../cluster/types.js';
import type { RemoteHost } from '../../../hosts/types.js';
import { virtualIpOf } from '../virtual-ip/virtual-ip.js';

/** What the network says of the VIP, seen from a control plane. */
export interface VipFacts {
  /** Whether it lies in the network of one of the host's cards, as VRRP needs it. */
  onLink: boolean;
  /** Network address of whoever answers for it; undefined when nobody does. */
  holderMac: string | undefined;
}

/**
 * Asks a host who answers for the VIP: a datagram makes the kernel ask by ARP, and its neighbour table tells the answer.
 * A holder on the same wire answers within milliseconds. An entry from earlier days is asked anew: by itself the kernel
 * would do that only after five seconds, and never where the host holds the VIP meanwhile.
 */
export async function gatherVipFacts(vip: string, remote: RemoteHost, signal: AbortSignal): Promise<VipFacts> {
  const script = `state() { ip -4 neighbour show to ${vip} | head -n 1; }
holder() {
  local device
  case $(ip -4 route get ${vip}) in local*) return 1 ;; esac
  { echo >/dev/udp/${vip}/9; } 2>/dev/null
  for try in $(seq 40); do
    case $(state) in
      *REACHABLE*) state; return ;;
      *STALE*|*DELAY*)
        read -r _ _ device _ <<<"$(state)"
        ip -4 neighbour change ${vip} dev "$device" nud probe || :
        ;;
      *PROBE*) ;;
      *) [ "$try" -lt 3 ] || return 1 ;;
    esac
    sleep 0.2
  done
}
fact route ip -4 route get ${vip}
fact holder holder`;
  const facts = await gatherFacts(remote, script, signal);
  return {
    onLink: facts.holds('route') && !/\bvia\b/.test(facts.text('route')),
    holderMac: /\blladdr (\S+)/.exec(facts.text('holder'))?.[1],
  };
}

/** Who may have a VIP already, and who was asked for it. */
export interface VipQuestion {
  /** Roles of the hosts on which this very cluster has put it. */
  holders: readonly Role[];
  /** The host that was asked, in words. */
  askedBy: string;
}

const ON_CONTROL_PLANES: VipQuestion = { holders: ['control-plane'], askedBy: 'first control plane' };

/** The VIP must be free, unless this very cluster has it on a host of one of these roles. */
export function vipProblems(
  cluster: Cluster,
  peers: PeerFacts[],
  { onLink, holderMac }: VipFacts,
  question: VipQuestion = ON_CONTROL_PLANES,
): Problem[] {
  const { hosts } = cluster;
  const { vip } = virtualIpOf(cluster);
  const holders = peers.filter(({ addresses }) => addresses.some(({ address }) => address === vip));
  const roleOf = (name: string) => hosts.find((host) => host.name === name)?.role;
  const wrong = holders.filter(({ name, ours }) => {
    const role = roleOf(name);
    return !ours || role === undefined || !question.holders.includes(role);
  });
  if (wrong.length > 0) {
    const what = `${listed(wrong.map(({ name }) => name))} already has the virtual IP ${vip} on a network card`;
    return [
      {
        code: 'KW334',
        what,
        hint: 'Take it away there (also from its network configuration), or choose another "endpoint.vip".',
      },
    ];
  }
  const ownMacs = peers.flatMap(({ addresses }) => addresses.map(({ mac }) => mac)).filter((mac) => mac !== '');
  if (holderMac !== undefined && !ownMacs.includes(holderMac)) {
    const what = `the virtual IP ${vip} is in use: a machine that is not in cluster.yaml answers for it (${holderMac})`;
    return [
      { code: 'KW334', what, hint: 'Choose an address that is free, outside of any DHCP range, as "endpoint.vip".' },
    ];
  }
  if (onLink || holders.length > 0) return [];
  const what = `the virtual IP ${vip} lies in no network of the ${question.askedBy}'s cards, so no host could answer for it`;
  return [
    {
      code: 'KW334',
      what,
      hint: 'Choose a free address of the subnet that the control planes share as "endpoint.vip".',
    },
  ];
}
