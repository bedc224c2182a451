#!/bin/bash
# switch.sh CGROUP…: becomes the process that holds a lab's network namespace, with a bridge and its uplink port in it.
set -euo pipefail
if [ "${1:-}" != inside ]; then
  for cgroup in "$@"; do
    echo $$ > "$cgroup/cgroup.procs"
  done
  exec unshare --net bash "$0" inside
fi
ip link set lo up
# Bridged frames are the bridge's own business: the machine's firewall settings for bridges do not reach in here.
if [ -d /proc/sys/net/bridge ]; then
  for setting in /proc/sys/net/bridge/bridge-nf-call-*; do
    echo 0 > "$setting"
  done
fi
# forward_delay 0: a port forwards at once.
ip link add bridge type bridge forward_delay 0
ip link set bridge up
exec -a kubewright-lab-switch sleep infinity
