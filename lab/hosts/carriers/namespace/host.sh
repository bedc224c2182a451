#!/bin/bash
# host.sh SETTINGS: keeps one lab host running; it ends when the host is powered off.
#
# Everything a host consists of while it runs (disk, overlay, network card, systemd) hangs on this process tree: its
# mounts live in a mount namespace of its own, its card in a network namespace of its own. When the processes are gone,
# the kernel takes back all of it, loop device included, and nothing of it was ever visible in the machine's own tables.
# What stays is the disk's file. That is what "power loss" means here.
#
# SETTINGS is a file of shell assignments written by lab/hosts/carriers/namespace/launch.ts:
#   HOST ADDRESS PREFIX GATEWAY MAC PORT  name, IPv4 address and prefix length, default route, card, port on the bridge
#   DIRECTORY                             the host's directory: disk.img and seed/ in it
#   BASE                                  root of the base image (read-only lower layer)
#   SWITCH                                path of the lab's network namespace, /proc/PID/ns/net
#   CGROUPS                               the cgroup directories that this process enters, one a hierarchy
#   MACHINE                               cgroup version 2: the one that systemd-nspawn has for itself; else empty
#   GUARD                                 the cgroup directory (version 2) that guard-sysctls.pl guards
#   UNIFIED                               1: the machine has only cgroup version 2
#   LOGIN_USER PASSWORD_FILE              who logs in; the file that holds his password for sudo, empty when none is asked
set -euo pipefail

# systemd-nspawn --keep-unit exits with 133 when the host asked for a reboot.
readonly REBOOT=133

if [ "${1:-}" != boot ]; then
  settings=$1
  . "$settings"
  # First of all, so that whoever takes the lab down finds this process and everything it starts.
  for cgroup in "${CGROUPS[@]}"; do
    echo $$ > "$cgroup/cgroup.procs"
  done
  # One instance a disk; another one's last processes may still be on their way out.
  exec 9< "$DIRECTORY/disk.img"
  flock --timeout 60 9
  perl "$(dirname "$0")/guard-sysctls.pl" "$GUARD"
  code=$REBOOT
  while [ "$code" -eq "$REBOOT" ]; do
    code=0
    # New namespaces for each boot: no address, route or filter rule outlives a reboot.
    unshare --mount --net --propagation slave bash "$0" boot "$settings" || code=$?
  done
  exit "$code"
fi

. "$2"
. "$(dirname "$0")/../seed.sh"

insert_disk() {
  mkdir -p "$DIRECTORY/disk" "$DIRECTORY/root"
  # A free loop device's node is missing where /dev is not devtmpfs.
  local device
  device=$(losetup --find)
  [ -b "$device" ] || mknod "$device" b 7 "${device#/dev/loop}"
  # `loop` frees the device with the mount. barrier=0: losing power here never loses what was written, for the kernel
  # below stays up; so a host's fsync need not wait for the machine's disk. discard: what a host deletes takes no room on
  # the machine any more.
  mount -o loop,barrier=0,discard "$DIRECTORY/disk.img" "$DIRECTORY/disk"
  cd "$DIRECTORY/disk"
  mkdir -p upper work containerd containers
  mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$PWD/upper,workdir=$PWD/work" "$DIRECTORY/root"
  if [ ! -e seeded ]; then
    SEED=$DIRECTORY/seed
    seed_root "$DIRECTORY/root"
    touch seeded
  fi
}

plug_in() {
  # After a power loss the kernel takes the old card away in its own time.
  nsenter --net="$SWITCH" ip link delete "$PORT" 2>/dev/null || true
  nsenter --net="$SWITCH" ip link add "$PORT" type veth peer name eth0 address "$MAC" netns $$
  nsenter --net="$SWITCH" ip link set "$PORT" master bridge up
  ip link set lo up
  ip address add "$ADDRESS/$PREFIX" dev eth0
  ip link set eth0 up
  ip route add default via "$GATEWAY"
}

insert_disk
plug_in

if [ -n "$MACHINE" ]; then
  echo $$ > "$MACHINE/cgroup.procs"
fi
# nspawn keeps files for registered machines below /run; these hosts are not registered.
mount -t tmpfs tmpfs /run
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=$UNIFIED SYSTEMD_NSPAWN_LOCK=0 SYSTEMD_NSPAWN_TMPFS_TMP=0
# All capabilities but those over the machine's clock, kernel modules and memory. The filter's own list lacks swapon and
# swapoff. /var/lib/containerd and its like must lie on a real file system: overlayfs does not stack on itself.
exec systemd-nspawn --quiet --register=no --keep-unit --boot \
  --directory="$DIRECTORY/root" --machine="$HOST" --hostname="$HOST" \
  --network-namespace-path=/proc/$$/ns/net \
  --capability=all --drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE,CAP_SYS_RAWIO \
  --system-call-filter='@keyring bpf perf_event_open' \
  --bind="$DIRECTORY/disk/containerd:/var/lib/containerd" --bind="$DIRECTORY/disk/containers:/var/lib/containers" \
  --bind=/dev/kmsg --resolv-conf=off --timezone=off --link-journal=no --console=pipe
