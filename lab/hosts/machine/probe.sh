#!/bin/bash
# probe.sh GUARD: tries, in namespaces that end with it, everything that a lab needs of the kernel, and prints the name of
# what does not work, a line each. Trying loads modules where there are modules; asking would not.
# GUARD is the path of guard-sysctls.pl.
set -u
guard=$1

try() {
  local name=$1
  shift
  "$@" > /dev/null 2>&1 || echo "$name"
}

if [ "${2:-}" != inside ]; then
  # Without these there is nothing to try the rest in.
  unshare --net --mount --propagation slave bash "$0" "$guard" inside ||
    { [ $? -eq 1 ] && echo 'network and mount namespaces'; }
  exit 0
fi

try 'process, host name, IPC and cgroup namespaces' unshare --pid --uts --ipc --cgroup --fork true
try 'bridges' ip link add bridge type bridge
try 'pairs of virtual network cards (veth)' ip link add one type veth peer name two
try 'nftables on bridges' nft 'add table bridge t; add chain bridge t c { type filter hook forward priority 0; }; add rule bridge t c ip saddr 192.0.2.1 drop'
try 'address translation (iptables MASQUERADE)' iptables -t nat -A POSTROUTING -j MASQUERADE
try 'connection tracking (iptables conntrack)' iptables -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
try 'BPF programs that guard sysctls (CONFIG_CGROUP_BPF)' perl "$guard" --check
try 'loop devices' losetup --find

if mount -t tmpfs tmpfs /mnt; then
  mkdir /mnt/lower /mnt/upper /mnt/work /mnt/root
  try 'overlayfs' mount -t overlay overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
else
  echo 'tmpfs'
fi
exit 0
