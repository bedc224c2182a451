import { APPLIED_PATH } from '../../../../../activities/applied/record/applied-spec.js';
import { apiServerPort } from '../../../../../cluster/chosen-ports.js';
import { type Cluster, type ClusterHost, hostsOf } from '../../../../../cluster/types.js';
import { quote } from '../../../../../hosts/shell.js';
import { virtualIpOf } from '../../../virtual-ip/virtual-ip.js';
import { priorityOf } from '../../render/keepalived.js';
import { EVENTS_PATH, HOLDER_PATH, MAIL_PATH, WEBHOOK_PATH } from '../places.js';
import type { NotifySettings } from '../settings.js';
import { CHANNELS } from './channels.js';
import { REASON } from './reason.js';
import { WATCH } from './watch.js';

/**
 * The program that tells of changes, on one control plane. It reads keepalived's states from a named pipe, so it cannot hold
 * keepalived up, and remembers who held the virtual IP before. Of all hosts only the one that gets it tells; it asks the
 * former holder what is wrong there. There is no secret in it: what curl needs of them it reads from files of its own.
 */
export function renderNotifier(cluster: Cluster, host: ClusterHost, notify: NotifySettings): string {
  const controlPlanes = hostsOf(cluster, 'control-plane');
  const peers = controlPlanes
    .filter(({ name }) => name !== host.name)
    .map((peer) => quote(`${peer.name} ${peer.address} ${priorityOf(cluster, peer)}`));
  const { webhook, mail, command } = notify;
  const channels = [
    ...(webhook === null ? [] : ['webhook']),
    ...(mail === null ? [] : [mail.smtp === null ? 'sendmail' : 'smtp']),
    ...(command === null ? [] : ['command']),
  ];
  return `#!/bin/bash
# Written by Kubewright: tells who holds the virtual IP, when it moves here. The next install writes it anew.
set -u
export LC_ALL=C

CLUSTER=${quote(cluster.name)}
SELF=${quote(host.name)}
ADDRESS=${quote(host.address)}
PRIORITY=${priorityOf(cluster, host)}
VIP=${quote(virtualIpOf(cluster).vip)}
PORT=${cluster.endpoint.port}
API_PORT=${apiServerPort(cluster)}
# Name, address and VRRP priority of each other control plane.
PEERS=(${peers.join(' ')})
CHANNELS=(${channels.join(' ')})
MAIL_FROM=${quote(mail?.from ?? '')}
MAIL_TO=${quote(mail?.to.join(', ') ?? '')}
COMMAND=(${(command ?? []).map(quote).join(' ')})
EVENTS=\${EVENTS:-${EVENTS_PATH}}
MEMORY=\${MEMORY:-${HOLDER_PATH}}
# Written at the end of each install.
INSTALLED=\${INSTALLED:-${APPLIED_PATH}}
# Seconds that another host has to answer in.
PATIENCE=\${PATIENCE:-2}
WEBHOOK=${WEBHOOK_PATH}
MAIL=${MAIL_PATH}

${WATCH}
${REASON}
${CHANNELS}
# Sourced, it only has its functions.
[[ \${BASH_SOURCE[0]} != "$0" ]] || main
`;
}
