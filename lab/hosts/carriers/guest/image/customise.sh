#!/bin/bash
# customise.sh ROOT: turns a fresh Debian tree into what guests start from. Part of the image's recipe: a change here makes a
# new image. Runs nothing of the tree, which may be of another architecture than the machine.
set -euo pipefail
root=$1

systemctl --root="$root" enable systemd-networkd.service
printf '/dev/nvme0n1 / ext4 defaults,discard 0 0\n' > "$root/etc/fstab"

# They would take apt's lock in the middle of an installation, or wait for consoles that nobody looks at.
systemctl --root="$root" mask \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  getty.target systemd-firstboot.service systemd-networkd-wait-online.service

# A host's identity is its own: these come from the lab when a host is made.
rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub "$root/etc/hostname" \
  "$root/var/lib/dbus/machine-id" "$root/etc/resolv.conf"
: > "$root/etc/machine-id"

# QEMU is given the kernel, and no initial ram disk.
rm -rf "$root"/boot/initrd.img-* "$root"/boot/System.map-* "$root"/debootstrap "$root"/kubewright-second-stage \
  "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/var/log/*.log \
  "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
