import { type Answer, unknown, yes } from '../../../activities/answers.js';
import { onEachHost } from '../../../activities/each-host.js';
import { listed, type Problem } from '../../../activities/prepare/checks/problem.js';
import type { PeerFacts } from '../../../activities/prepare/facts/cluster-facts.js';
import type { StepContext } from '../../../activities/types.js';
import type { ClusterHost } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import { endpointSettings } from './endpoint.js';

/** What a router of VRRP says of itself on the wire. */
export interface Advertisement {
  /** Address of whoever sent it. */
  router: string;
  id: number;
  /** Virtual addresses of the group. */
  addresses: string[];
}

/** Three times the interval that VRRP has by default (one second, RFC 5798 section 5.2.7), and a little for a late one. */
const LISTEN_SECONDS = 3.2;

/**
 * Perl, for the reasons of the preflight's other program. Raw sockets see what the host's filter lets in. Prints one line
 * for each router and group; version 2 and version 3 have the same first eight bytes, and addresses behind them.
 */
const LISTENER = String.raw`use strict;
use warnings;
use IO::Select;
use Socket;
my ($own, $seconds) = @ARGV;
sub now { open(my $file, '<', '/proc/uptime') or return time; return (split / /, <$file>)[0] }
socket(my $socket, PF_INET, SOCK_RAW, 112) or die "socket: $!\n";
# 224.0.0.18 is VRRP's (RFC 5798 section 5.1.1.2); 35 is IP_ADD_MEMBERSHIP of Linux.
setsockopt($socket, 0, 35, inet_aton('224.0.0.18') . inet_aton($own)) or die "multicast at $own: $!\n";
my ($end, %heard) = (now() + $seconds);
while ((my $left = $end - now()) > 0) {
  last unless IO::Select->new($socket)->can_read($left);
  defined recv($socket, my $packet, 2048, 0) or next;
  next if length $packet < 28;
  my $body = substr($packet, 4 * (ord($packet) & 15));
  my ($kind, $id, undef, $count) = unpack('C4', $body);
  next unless $kind == 0x21 || $kind == 0x31;
  next if length $body < 8 + 4 * $count;
  my @addresses = map { inet_ntoa(substr($body, 8 + 4 * $_, 4)) } 0 .. $count - 1;
  $heard{join ' ', inet_ntoa(substr($packet, 12, 4)), $id, @addresses} = 1;
}
print map { "$_\n" } sort keys %heard;
`;

/** Ours, which speaks with this id because an install made it so, is no reason to listen. */
function script(host: ClusterHost, id: number, configuration: string): string {
  return `grep -qsE ${quote(`^ *virtual_router_id ${id}$`)} ${quote(configuration)} && exit 0
command -v perl >/dev/null || exit 127
exec perl - ${quote(host.address)} ${LISTEN_SECONDS} <<'KUBEWRIGHT'
${LISTENER}KUBEWRIGHT
`;
}

/**
 * Hears which VRRP groups there are on the wire of the hosts that shall move the virtual IP, for three seconds; at once done
 * on a host whose keepalived has the id already.
 *
 * @param speakers hosts that get a keepalived
 * @param configuration path of keepalived's configuration on them
 * @throws KubewrightError KW2xx (transient) when a host cannot be reached by SSH
 */
export async function vrrpProblems(
  { cluster, hostNamed, signal }: Pick<StepContext, 'cluster' | 'hostNamed' | 'signal'>,
  peers: PeerFacts[],
  speakers: ClusterHost[],
  configuration: string,
): Promise<Problem[]> {
  const { virtualRouterId } = endpointSettings(cluster);
  const heard = await onEachHost(speakers, async (host): Promise<Heard> => {
    const options = { signal, allowFailure: true, timeoutMs: 30_000 };
    const result = await hostNamed(host.name).run(script(host, virtualRouterId, configuration), options);
    if (result.exitCode === 0) return { host: host.name, advertisements: yes(parse(result.stdout)) };
    const why = result.exitCode === 127 ? 'it has no perl' : (result.stderr.trim().split('\n').at(-1) ?? '');
    return { host: host.name, advertisements: unknown(why.slice(0, 200) || `exit code ${result.exitCode}`) };
  });
  return judge(virtualRouterId, peers, heard);
}

/** What one host heard. */
export interface Heard {
  host: string;
  advertisements: Answer<Advertisement[]>;
}

function parse(output: string): Advertisement[] {
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [router = '', id = '', ...addresses] = line.split(' ');
      return { router, id: Number(id), addresses };
    });
}

/** Groups of others with the cluster's id, and hosts that could not listen; pure. */
export function judge(id: number, peers: PeerFacts[], heard: Heard[]): Problem[] {
  const own = new Set(peers.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  const all = heard.flatMap(({ advertisements }) => (advertisements.is === 'yes' ? advertisements.value : []));
  const others = all.filter(({ router }) => !own.has(router));
  const routers = new Map(others.filter((each) => each.id === id).map((each) => [each.router, each]));
  const used = [...new Set(others.map((each) => each.id))].sort((a, b) => a - b);
  const taken = [...routers.values()].map(({ router, addresses }) => ({
    code: 'KW353',
    what: `VRRP id ${id} is in use on this network: ${router} advertises it for ${listed(addresses)}`,
    hint: `Choose another "endpoint.virtualRouterId" (1 to 255; in use are ${listed(used.map(String))}). Left out, it is the last octet of the virtual IP.`,
    hosts: [],
  }));
  return [...taken, ...heard.flatMap((each) => deaf(id, each))];
}

function deaf(id: number, { host, advertisements }: Heard): Problem[] {
  if (advertisements.is === 'yes') return [];
  const why = advertisements.is === 'unknown' ? advertisements.why : advertisements.evidence;
  const what = `it is not known whether somebody else uses VRRP id ${id} on the network of ${host}: ${why}`;
  const hint =
    'Mend what kept it from being asked (perl-base is all that it needs; where dnf installs packages, perl), then retry; or overrule it.';
  return [{ code: 'KW339', what, hint, hosts: [host] }];
}
