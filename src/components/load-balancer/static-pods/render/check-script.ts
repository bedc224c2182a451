import { HAPROXY_MONITOR_PORT } from '../../vrrp/render/haproxy.js';

/**
 * What keepalived asks every second, in its container, as user nobody. For the shell and the wget of busybox, which images
 * have that have no bash; GNU's wget says the same.
 */
export function renderCheckScript(): string {
  return `#!/bin/sh
# Written by Kubewright; keepalived runs it every second.
#   check-haproxy alive    succeeds when the local HAProxy answers
#   check-haproxy backend  succeeds when it has an API server that answers
said=$(wget -O /dev/null -T 1 http://127.0.0.1:${HAPROXY_MONITOR_PORT}/backend 2>&1) && exit 0
[ "$1" = alive ] || exit 1
case $said in *' 503 '*) exit 0 ;; esac
exit 1
`;
}
