/**
 * Perl, `probe`. Connections are made side by side, and each ends within the patience. Datagrams are sent three times, for
 * one may be lost.
 *
 * It prints `tcp ID OUTCOME` for each connection: `ok`, `refused`, `timeout`, `unreachable` (the network or a filter said
 * so), `own` (this host's own filter did), `silent` (connected, and nobody spoke), `wrong TEXT` (somebody else spoke) or
 * `failed WHY`; `unsent ORDER WHY` for what could not be sent; and `end`.
 */
export const PROBER = String.raw`
sub probing {
  my ($connecting, $reading, %open) = (IO::Select->new, IO::Select->new);
  my @left = @tcp;
  my @moments = map { now() + $_ } 0, 0.4, 0.8;
  my $end = sub {
    my ($one, $outcome) = @_;
    $_->remove($one->{socket}) for $connecting, $reading;
    print "tcp $one->{id} $outcome\n";
    close(delete($open{$one->{socket}})->{socket});
  };
  while (@left || %open || @moments) {
    while (@left && keys(%open) < 200) {
      my ($id, $to, $port, $expected) = split / /, shift @left;
      socket(my $socket, PF_INET, SOCK_STREAM, 0) or do { print "tcp $id failed $!\n"; next };
      nonblocking($socket);
      my %one = (socket => $socket, id => $id, expected => $expected, said => '', until => now() + $order{patience});
      $open{$socket} = \%one;
      if (connect($socket, place($to, $port)) || $! == EINPROGRESS) { $connecting->add($socket) }
      else { $end->(\%one, outcome($! + 0)) }
    }
    if (@moments && now() >= $moments[0]) { shift @moments; transmit(!@moments) }
    my ($readable, $writable) = IO::Select->select($reading, $connecting, undef, 0.1);
    for my $one (map { $open{$_} || () } @{ $writable || [] }) {
      my $error = unpack('i', getsockopt($one->{socket}, SOL_SOCKET, SO_ERROR));
      if ($error) { $end->($one, outcome($error)); next }
      if ($one->{expected} eq '-') { $end->($one, 'ok'); next }
      $connecting->remove($one->{socket});
      $reading->add($one->{socket});
      $one->{connected} = 1;
    }
    for my $one (map { $open{$_} || () } @{ $readable || [] }) {
      my $bytes = sysread($one->{socket}, $one->{said}, 512, length $one->{said});
      next if !defined $bytes && ($! == EAGAIN || $! == EINTR);
      $end->($one, spoken($one)) if !$bytes || $one->{said} =~ /\n/ || length $one->{said} > 512;
    }
    for my $one (values %open) {
      $end->($one, $one->{connected} ? spoken($one) : 'timeout') if now() > $one->{until};
    }
  }
  print "end\n";
}

sub spoken {
  my $one = shift;
  return 'ok' if $one->{said} eq hello($one->{expected}) . "\n";
  return 'silent' if $one->{said} eq '';
  return 'wrong ' . substr($one->{said} =~ s/[^ -~]/?/gr, 0, 60);
}

sub outcome {
  my $error = shift;
  return 'refused' if $error == ECONNREFUSED || $error == ECONNRESET;
  return 'timeout' if $error == ETIMEDOUT;
  return 'unreachable' if $error == EHOSTUNREACH || $error == ENETUNREACH;
  return 'own' if $error == EPERM || $error == EACCES;
  local $! = $error;
  return "failed $!";
}

my %sent;
sub transmit {
  my $last = shift;
  for my $order (@datagrams) {
    my ($protocol, $to, $number, $port) = split / /, $order;
    my $text = hello($order{self}, $number);
    $sent{$order} = 1 if $protocol eq 'vrrp' ? advertise($to, $text, $last) : datagram($to, $port, $text);
    print "unsent $order: $!\n" if $last && !$sent{$order};
  }
}

sub datagram {
  my ($to, $port, $text) = @_;
  socket(my $socket, PF_INET, SOCK_DGRAM, 0) or return;
  return send($socket, $text, 0, place($to, $port));
}

# Version 0 and router id 0 are nobody's: a keepalived that is there drops the packet. On Ethernet it goes out below the IP
# layer. Else the connection tracking of this host would take the other side's packets for answers to it, and let in what
# it does not let in when that side begins. Where the other side's card is not known (a router is between): as IP.
sub advertise {
  my ($to, $text, $last) = @_;
  my $body = ("\0" x 8) . $text;
  if (my ($mac, $card) = neighbour($to)) {
    open(my $file, '<', "/sys/class/net/$card/ifindex") or return;
    my $index = <$file> + 0;
    my @header = (0x45, 0xc0, 20 + length $body, int rand 65536, 0, 255, 112, 0, map { inet_aton($_) } $order{address}, $to);
    my $form = 'C C n n n C C n a4 a4';
    $header[7] = checksum(pack($form, @header));
    # AF_PACKET (packet(7)), and ETH_P_IP in the order of the network.
    socket(my $socket, 17, SOCK_DGRAM, unpack('S', pack('n', 0x0800))) or return;
    return send($socket, pack($form, @header) . $body, 0, pack('S n i S C C H12 x2', 17, 0x0800, $index, 1, 0, 6, $mac =~ tr/://dr));
  }
  return unless $last;
  my $socket = raw(112) or return;
  bind($socket, place($order{address}, 0));
  return send($socket, $body, 0, place($to, 0));
}

# RFC 1071.
sub checksum {
  my $sum = 0;
  $sum += $_ for unpack('n*', shift);
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum > 0xffff;
  return ~$sum & 0xffff;
}

# A complete entry (ATF_COM) of an Ethernet neighbour; the connections to the same host have made one.
sub neighbour {
  open(my $file, '<', '/proc/net/arp') or return;
  while (my $line = <$file>) {
    my ($address, $hardware, $flags, $mac, undef, $card) = split ' ', $line;
    return ($mac, $card) if $address eq $_[0] && $hardware eq '0x1' && hex($flags) & 2;
  }
  return;
}
`;
