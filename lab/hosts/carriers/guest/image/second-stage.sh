#!/bin/sh
# The init of a guest of another architecture when it is on for the first time: unpacks and sets up the packages that
# debootstrap has put there, and switches off. Its last word says that it came to the end.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8
# No initial ram disk is wanted (see command-line.ts), and to make one would take minutes in emulation.
export INITRD=No
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
echo 4 > /proc/sys/kernel/printk
if /debootstrap/debootstrap --second-stage; then
  umount /tmp /run
  sync
  echo 'KUBEWRIGHT second stage done'
else
  tail -n 20 /debootstrap/debootstrap.log
fi
# Unmounts, then switches the machine off, without any other program.
echo s > /proc/sysrq-trigger
echo u > /proc/sysrq-trigger
sleep 1
echo o > /proc/sysrq-trigger
sleep 60
