import { HAPROXY_MONITOR_PORT } from '../../vrrp/render/haproxy.js';

/**
 * What keepalived asks every second, in its container, as user nobody. For the shell and the nc of busybox, which images have
 * that have no bash. Not for its wget: that of Debian's busybox-static, which is of glibc, crashes beside another libc.
 */
export function renderCheckScript(): string {
  return `#!/bin/sh
# Written by Kubewright; keepalived runs it every second.
#   check-haproxy alive    succeeds when the local HAProxy answers
#   check-haproxy backend  succeeds when it has an API server that answers
said=$(printf 'GET /backend HTTP/1.0\\r\\n\\r\\n' | nc -w 1 127.0.0.1 ${HAPROXY_MONITOR_PORT})
case $1,$said in alive,HTTP/* | *,HTTP/1.*' 200 '*) exit 0 ;; esac
exit 1
`;
}
