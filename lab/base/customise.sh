#!/bin/bash
# customise.sh ROOT: turns a fresh debootstrap tree into the base image of lab hosts. Part of the image's recipe: a change
# here makes a new image.
set -euo pipefail
root=$1
here=$(cd "$(dirname "$0")" && pwd)

cp --recursive --no-preserve=ownership "$here/files/." "$root/"
chmod 0755 "$root/usr/local/lib/kubewright-lab/prepare-host"
systemctl --root="$root" enable kubewright-lab-host.service

# Units that wait for hardware, consoles or the wall clock: useless in a namespace, and each costs boot time or memory.
systemctl --root="$root" mask \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  console-getty.service getty.target systemd-firstboot.service systemd-machine-id-commit.service \
  systemd-pstore.service proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount \
  dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-update-utmp.service \
  systemd-update-utmp-runlevel.service remote-fs.target

# A host's identity is its own: these come from the lab when a host is made.
rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub "$root/etc/machine-id" "$root/etc/hostname" \
  "$root/var/lib/dbus/machine-id" "$root/etc/resolv.conf"
: > "$root/etc/machine-id"

rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/var/log/*.log \
  "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
