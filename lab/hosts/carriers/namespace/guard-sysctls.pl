#!/usr/bin/perl
# guard-sysctls.pl CGROUP|--check: refuses, to every process in this cgroup (version 2), writes to any sysctl outside of net.*.
#
# Root on a lab host is root on the machine's one kernel: it could mount a fresh /proc and set the machine's panic
# behaviour or its swappiness. A BPF program of type CGROUP_SYSCTL is what the kernel offers against that: it is asked at
# each access and its refusal is EPERM. It lives as long as the cgroup. (net.* is a namespace's own, and the kernel itself
# hides or write-protects the few global ones there.)
#
# --check only asks the kernel whether it takes the program.
#
# Perl because it is in every Debian and can call bpf(2); bpftool would want a compiled object file.
use strict;
use warnings;
use Fcntl qw(O_RDONLY O_DIRECTORY);
use POSIX ();

# From linux/bpf.h.
use constant { BPF_PROG_LOAD => 5, BPF_PROG_ATTACH => 8, BPF_PROG_TYPE_CGROUP_SYSCTL => 23, BPF_CGROUP_SYSCTL => 18 };
use constant BPF_FUNC_sysctl_get_name => 101;
my %syscall_number = (x86_64 => 321, aarch64 => 280);

my $cgroup = shift // die "usage: guard-sysctls.pl CGROUP|--check\n";
my $bpf = $syscall_number{ (POSIX::uname())[4] } // die "no bpf system call number known for this architecture\n";

sub instruction {
    my ($code, $destination, $source, $offset, $immediate) = @_;
    return pack('CCsl', $code, $destination | ($source << 4), $offset, $immediate);
}

my $program = join '',
    instruction(0xbf, 6, 1, 0, 0),          #  0: r6 = context
    instruction(0x61, 2, 6, 0, 0),          #  1: r2 = context->write
    instruction(0x15, 2, 0, 10, 0),         #  2: a read? allow (13)
    instruction(0xbf, 2, 10, 0, 0),         #  3: r2 = frame pointer
    instruction(0x07, 2, 0, 0, -64),        #  4: r2 -= 64, the buffer
    instruction(0xb7, 3, 0, 0, 64),         #  5: r3 = its size
    instruction(0xb7, 4, 0, 0, 0),          #  6: r4 = flags: the full name, such as net/ipv4/ip_forward
    instruction(0xbf, 1, 6, 0, 0),          #  7: r1 = context
    instruction(0x85, 0, 0, 0, BPF_FUNC_sysctl_get_name),
    instruction(0x61, 1, 10, -64, 0),       #  9: r1 = first four bytes of the name
    instruction(0x15, 1, 0, 2, unpack('l', 'net/')),    # 10: allow (13)
    instruction(0xb7, 0, 0, 0, 0),          # 11: refuse
    instruction(0x95, 0, 0, 0, 0),
    instruction(0xb7, 0, 0, 0, 1),          # 13: allow
    instruction(0x95, 0, 0, 0, 0);

my ($license, $log) = ("GPL\0", "\0" x 16_384);
# type, instruction count, instructions, license, log level, log size, log; the rest of the union is zero.
my $load = pack('LLPPLLP x80', BPF_PROG_TYPE_CGROUP_SYSCTL, length($program) / 8, $program, $license, 1, length $log, $log);
my $program_fd = syscall($bpf, BPF_PROG_LOAD, $load, length $load);
die "bpf(BPF_PROG_LOAD): $!\n" . unpack('Z*', $log) if $program_fd < 0;

exit 0 if $cgroup eq '--check';

sysopen(my $directory, $cgroup, O_RDONLY | O_DIRECTORY) or die "$cgroup: $!\n";
my $attach = pack('LLLL', fileno($directory), $program_fd, BPF_CGROUP_SYSCTL, 0);
syscall($bpf, BPF_PROG_ATTACH, $attach, length $attach) == 0 or die "bpf(BPF_PROG_ATTACH) on $cgroup: $!\n";
