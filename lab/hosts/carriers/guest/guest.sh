#!/bin/bash
# guest.sh SETTINGS: keeps one guest running; it ends when the guest is powered off.
#
# What the guest has on the machine is this process and its QEMU, a port in the namespace of the lab's switch, which goes with that
# namespace, and the files in its directory.
#
# SETTINGS is a file of shell assignments written by lab/hosts/carriers/guest/launch.ts:
#   DIRECTORY                    the guest's directory: seed/ in it, and its disk as soon as it was on once
#   IMAGE GIB                    the image that its disk begins as, and the disk's size
#   SWITCH PORT                  path of the lab's network namespace, /proc/PID/ns/net, and the guest's port on its bridge
#   CGROUPS                      the cgroup directories that this process enters, one a hierarchy
#   AGENT                        path of the socket of the guest's agent
#   LOGIN_USER PASSWORD_FILE     who logs in; the file that holds his password for sudo, empty when none is asked
#   QEMU                         the command line
set -euo pipefail

. "$1"
. "$(dirname "$0")/../seed.sh"

# In a mount namespace of its own: when the process is gone, so are mount and loop device.
make_disk() {
  local new=$DIRECTORY/disk.new
  rm -f "$new"
  cp --reflink=auto --sparse=always "$IMAGE" "$new"
  truncate --size "${GIB}G" "$new"
  # A disk that a guest has written to, as in the second stage of another architecture's packages, is resized after a check only.
  e2fsck -f -p "$new" || [ $? = 1 ]
  resize2fs "$new"
  mkdir -p "$DIRECTORY/root"
  # A free loop device's node is missing where /dev is not devtmpfs.
  local device
  device=$(losetup --find)
  [ -b "$device" ] || mknod "$device" b 7 "${device#/dev/loop}"
  mount -o loop "$new" "$DIRECTORY/root"
  SEED=$DIRECTORY/seed
  seed_root "$DIRECTORY/root"
  umount "$DIRECTORY/root"
  mv "$new" "$DIRECTORY/disk.img"
}

plug_in() {
  ip link delete "$PORT" 2>/dev/null || true
  ip tuntap add "$PORT" mode tap
  ip link set "$PORT" master bridge up
}

# Each boot has a QEMU of its own: an emulated processor that was reset is ten times slower for a minute, for what QEMU had
# translated of the former boot is in its way. QEMU ends at a reboot as it does at a power-off, and its last event says which.
run_qemu() {
  local events=$DIRECTORY/events
  while :; do
    rm -f "$AGENT"
    "${QEMU[@]}" -action reboot=shutdown -qmp stdio <<< '{"execute": "qmp_capabilities"}' > "$events"
    if ! grep --quiet '"guest-reset"' "$events"; then
      break
    fi
  done
}

case "${2:-}" in
  make-disk) make_disk ;;
  start)
    plug_in
    run_qemu
    ;;
  *)
    # First of all, so that whoever takes the lab down finds this process and everything it starts.
    for cgroup in "${CGROUPS[@]}"; do
      echo $$ > "$cgroup/cgroup.procs"
    done
    # One instance a disk; another one's last process may still be on its way out.
    exec 9> "$DIRECTORY/lock"
    flock --timeout 60 9
    if [ ! -e "$DIRECTORY/disk.img" ]; then
      unshare --mount --propagation private bash "$0" "$1" make-disk
    fi
    exec nsenter --net="$SWITCH" bash "$0" "$1" start
    ;;
esac
