import { LISTENER } from './listener.js';
import { PROBER } from './prober.js';

/**
 * Perl, because it is the one language with sockets that every Debian has (perl-base is essential), and nothing is
 * installed before all hosts were looked at. Reads its orders, one a line, from behind `__END__`.
 */
const COMMON = String.raw`use strict;
use warnings;
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use IO::Select;
use POSIX qw(:errno_h);
use Socket;
$| = 1;
my (%order, @tcp, @datagrams);
# Seconds with a fraction, from a clock that nobody sets.
sub now { open(my $file, '<', '/proc/uptime') or return time; return (split / /, <$file>)[0] }
sub nonblocking { fcntl($_[0], F_SETFL, fcntl($_[0], F_GETFL, 0) | O_NONBLOCK) }
sub place { sockaddr_in($_[1], inet_aton($_[0])) }
# What a host says for itself, and what one says to another: only this run knows the token.
sub hello { "kubewright $order{token} @_" }
# A name in the network namespace, not on the disk: it is gone with the process.
sub control { pack_sockaddr_un("\0kubewright-reach-$order{token}-$order{self}") }
sub raw { socket(my $socket, PF_INET, SOCK_RAW, $_[0]) or return; return $socket }
`;

const MAIN = String.raw`
while (<DATA>) {
  chomp;
  my ($key, $value) = split / /, $_, 2;
  if ($key eq 'tcp') { push @tcp, $value }
  elsif ($key eq 'udp' || $key eq 'vrrp') { push @datagrams, $_ }
  else { $order{$key} = $value }
}
my %modes = (listen => \&listening, probe => \&probing, collect => \&collecting);
$modes{$ARGV[0]}->();
__END__
`;

/**
 * Bash that runs the program in one of its modes; exit status 127 where there is no perl.
 *
 * - `listen` binds what it is told, says so, and leaves a child behind that answers until it is collected or its time is
 *   over. It holds nothing but sockets.
 * - `probe` connects and sends, and says what came of it.
 * - `collect` asks the child what it received, and thereby ends it.
 *
 * @param orders one a line, in the forms that `listenOrders` and `probeOrders` write; nothing of them reaches the shell
 */
export function reachScript(mode: 'listen' | 'probe' | 'collect', orders: string[]): string {
  return `command -v perl >/dev/null || exit 127
exec perl - ${mode} <<'KUBEWRIGHT'
${COMMON}${LISTENER}${PROBER}${MAIN}${orders.map((order) => `${order}\n`).join('')}KUBEWRIGHT
`;
}
