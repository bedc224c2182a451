import { apiServerPort } from '../../../../cluster/chosen-ports.js';
import type { Cluster, ClusterHost } from '../../../../cluster/types.js';
import { recordLoadedConfig } from '../../../../render/loaded-config.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { REAL_SERVER, REAL_SERVER_SCRIPT_PATH, REAL_SERVER_UNIT_PATH } from '../places.js';

/** Looks in a row at which the API server must not have been ready before the virtual IP goes: at least as many seconds. */
const PATIENCE = 5;

/**
 * Script that gives a control plane the virtual IP, on `lo`, as long as its own API server is ready.
 *
 * With direct routing a packet for the virtual IP arrives unchanged, so the host has to have the address; and whatever the
 * host itself sends there then stays on the host. That is why the address must not be there without an API server:
 *
 * - before `kubeadm init` or `join`, it would lead the host to nobody: a join would never find the cluster;
 * - after a boot, or where the API server has failed, kube-proxy and everybody else on the host who asks the virtual IP would
 *   hear from nobody, while other API servers answer. Without the address they reach those through the director.
 *
 * The first control plane begins the same way: its API server comes up by itself, gets the address when it is ready, and then
 * kubeadm's own kubeconfigs, which name the virtual IP, lead to it. `init` waits for that.
 *
 * The address comes at once, for the director sends connections from then on, too; one that comes half a second earlier is sent
 * again by its client. It goes only after some seconds: until the director has taken the server out, whoever is sent here is
 * refused, and tries again, instead of waiting in vain. An API server that cannot tell, for nobody may ask without a name
 * (401), counts as ready, as it does for the director.
 *
 * `scope host`: the address is never the source of what the host sends, nor taken for the host's own by who looks for one.
 * Nobody else may hear of it: it belongs to the director. The kernel must answer ARP for a card's own addresses only
 * (arp_ignore) and name none but those when it asks (arp_announce, RFC 5227 says why); else the address is not added.
 */
export function renderRealServerScript(cluster: Cluster, host: ClusterHost): string {
  return `#!/bin/bash
# Written by Kubewright; ${REAL_SERVER}.service runs it. The virtual IP of the Kubernetes API is on lo while the API server of
# this host is ready, and goes when this ends.
vip=${virtualIpOf(cluster).vip} address=${host.address} port=${apiServerPort(cluster)}

has_vip() { [ -n "$(ip -o -4 address show dev lo to "$vip/32")" ]; }
down() { ! has_vip || { ip address delete "$vip/32" dev lo && echo "$vip is not on lo any more"; }; }

ready() {
  local status=
  (: <>"/dev/tcp/$address/$port") 2>/dev/null || return 1
  read -r _ status _ < <(printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' |
    timeout 3 openssl s_client -quiet -connect "$address:$port" 2>/dev/null)
  [[ $status == 200 || $status == 401 ]]
}

silent() {
  local all=/proc/sys/net/ipv4/conf/all
  [ "$(<$all/arp_ignore)" -ge 1 ] && [ "$(<$all/arp_announce)" -ge 2 ] && return
  [ -n "$warned" ] || echo "$vip is not added: this host would answer ARP for it ($all/arp_ignore has to be 1, arp_announce 2)"
  warned=1
  return 1
}

trap 'down; exit 0' TERM INT
failures=0 warned=
while :; do
  if ready; then
    failures=0
    has_vip || { silent && ip address add "$vip/32" dev lo scope host && echo "$vip is on lo: the API server is ready"; }
    sleep 1
  else
    [ $((failures += 1)) -lt ${PATIENCE} ] || down
    if has_vip; then sleep 1; else sleep 0.5; fi
  fi
done
`;
}

/**
 * Ordered behind the kernel settings (`sysinit.target`, where systemd-sysctl is) and before the kubelet, whose API server it
 * waits for; it needs no network but `lo`.
 *
 * @param runtime unit of the container runtime
 */
export function renderRealServerUnit(runtime: string): string {
  return `# Written by Kubewright.
[Unit]
Description=Virtual IP of the Kubernetes API, while the API server of this host is ready
After=network.target
Before=kubelet.service ${runtime}
StartLimitIntervalSec=0

[Service]
ExecStartPre=${recordLoadedConfig(REAL_SERVER, REAL_SERVER_SCRIPT_PATH, REAL_SERVER_UNIT_PATH)}
ExecStart=${REAL_SERVER_SCRIPT_PATH}
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`;
}
