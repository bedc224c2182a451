/**
 * Perl, `listen` and `collect`. TCP is answered with a nonce of run and host, so that whoever else answers is told apart.
 * UDP and VRRP are received by raw sockets: these see every packet that the host's filter lets in, and take no port from
 * anyone. Receipt is the proof, not an answer, which would need the way back as well.
 *
 * It prints, one a line: `listening PORT`, `taken PORT` (somebody has it), `quiet PORT` (a path of the order is there: what
 * belongs on this port is installed, and may be about to start), `failed PORT WHY`, `receiving PROTOCOL`,
 * `deaf PROTOCOL WHY`, and `ready`. The child prints what it got when it is collected: `udp PORT FROM`, `vrrp FROM`, `end`.
 */
export const LISTENER = String.raw`
sub listening {
  my ($loop, %kind, %client, %got) = IO::Select->new;
  for my $order (@tcp) {
    my ($port, @installed) = split / /, $order;
    if (grep { -e } @installed) { print "quiet $port\n"; next }
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    # As the components do: a connection of this check that lingers must not keep them from the port.
    setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1);
    unless (bind($socket, place($order{address}, $port)) && listen($socket, 128)) {
      print $! == EADDRINUSE ? "taken $port\n" : "failed $port $!\n";
      next;
    }
    print "listening $port\n";
    nonblocking($socket);
    $loop->add($socket);
    $kind{$socket} = 'tcp';
  }
  for my $protocol (grep { $order{$_} } 17, 112) {
    my $socket = raw($protocol);
    unless ($socket && bind($socket, place($order{address}, 0))) { print "deaf $protocol $!\n"; next }
    print "receiving $protocol\n";
    nonblocking($socket);
    $loop->add($socket);
    $kind{$socket} = $protocol;
  }
  socket(my $control, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
  bind($control, control()) && listen($control, 4) or die "control: $!\n";
  $loop->add($control);
  defined(my $child = fork) or die "fork: $!\n";
  if ($child) { print "ready\n"; return }

  # Ends it whatever happens to the worker and to the connection.
  alarm $order{life};
  $SIG{PIPE} = 'IGNORE';
  POSIX::setsid();
  open(STDIN, '<', '/dev/null');
  open($_, '>', '/dev/null') for \*STDOUT, \*STDERR;
  while (1) {
    for my $socket ($loop->can_read) {
      my $kind = $kind{$socket} || '';
      if ($socket == $control) {
        accept(my $asker, $control) or next;
        syswrite($asker, join('', map { "$_\n" } sort(keys %got), 'end'));
        exit 0;
      } elsif ($kind eq 'tcp') {
        accept(my $caller, $socket) or next;
        nonblocking($caller);
        syswrite($caller, hello($order{self}) . "\n");
        $loop->add($caller);
        $client{$caller} = $caller;
      } elsif ($kind) {
        receive($socket, $kind, \%got);
      } elsif (!sysread($socket, my $rest, 512)) {
        # The caller closes first: what lingers of the connection lingers there.
        $loop->remove($socket);
        close(delete $client{$socket});
      }
    }
  }
}

# Both kinds of packets are heard with their IP header, and have eight bytes before the text.
sub receive {
  my ($socket, $protocol, $got) = @_;
  while (defined recv($socket, my $packet, 2048, 0)) {
    last if length $packet < 28;
    my $body = substr($packet, 4 * (ord($packet) & 15));
    next unless substr($body, 8) =~ /^kubewright \Q$order{token}\E (\d+) $order{self}$/;
    $got->{$protocol == 17 ? 'udp ' . unpack('x2 n', $body) . " $1" : "vrrp $1"} = 1;
  }
}

sub collecting {
  alarm 5;
  socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
  unless (connect($socket, control())) { print "gone\n"; return }
  print while <$socket>;
}
`;
