import { keepScript } from '../../../../src/activities/before/keepBefore.js';
import { undoScript } from '../../../../src/activities/reset/undo/script.js';
import type { Cluster, ClusterHost } from '../../../../src/cluster/types.js';
import { FSTAB_PATH } from '../../../../src/render/fstab.js';
import { OWNER_PATH } from '../../../../src/render/owner.js';
import { exists, lay, output, program, read } from '../check/host/one-host.js';

/** What is no folder of the host's own in the test's directory lies below one there, too: no script sees this machine's. */
export const MOVED = (text: string): string =>
  text
    .replaceAll(/(?<![\w.}])\/(usr|opt|sys)\//g, '/var/machine-$1/')
    .replaceAll(/(?<![\w.}/])\/sys\/fs/g, '/var/machine-sys/fs');

/** Programs that write down what they are called with, and say what little the host has. */
export function programs(): void {
  const log = (name: string, body = '') => program(name, `echo "${name} $*" >>"$LOG"\n${body}`);
  program(
    'systemctl',
    `echo "systemctl $*" >>"$LOG"
case $1 in
  list-unit-files) echo "haproxy.service enabled" ;;
  list-units) echo "sshd.service"; echo "haproxy.service" ;;
  is-active) [ -e "$STATE/runtime" ] ;;
esac`,
  );
  for (const name of ['swapon', 'modprobe', 'userdel', 'groupdel', 'apt-mark', 'umount', 'nmcli']) log(name);
  program('apt-mark', `echo "apt-mark $*" >>"$LOG"\n[ "$1" != showhold ] || cat "$STATE/held" 2>/dev/null`);
  program('dpkg-query', "printf 'package tar installed\\n'");
  program('getent', `grep -q "^$2:" "$ETC/$1"`);
  program(
    'ip',
    `echo "ip $*" >>"$LOG"\ncase "$*" in *"address show to"*) cat "$STATE/vip" 2>/dev/null ;; *"address show"*) echo "2: eth0    inet 10.88.0.11/24 brd x" ;; esac`,
  );
  program('nft', `echo "nft $*" >>"$LOG"\ncase $1 in list) [ "$2" != table ] || [ -e "$STATE/table-$4" ] ;; esac`);
  program('iptables-save', `cat "$STATE/rules" 2>/dev/null; true`);
  program('iptables-restore', 'cat >"$STATE/restored"');
  for (const name of ['ip6tables-save', 'iptables-legacy-save', 'ip6tables-legacy-save']) program(name, 'exit 1');
  program('mountpoint', 'exit 1');
  program(
    'crictl',
    `echo "crictl $*" >>"$LOG"\ncase "$*" in *"pods --quiet"*) cat "$STATE/pods" 2>/dev/null ;; *rmp*) : >"$STATE/pods" ;; esac`,
  );
}

/** Runs a script of a durable command on the test's host, as its attempt that holds the fence. */
export function durable(script: string): Promise<string> {
  lay('/run/kubewright/fence', 'mine');
  return output(`${environment()}set -euo pipefail\nkubewright_fence=mine\n{ ${script}} 2>&1`, MOVED);
}

/** Where the programs of `programs` have their journal and what they are to say, in the words of the host's own paths. */
export function environment(): string {
  return 'export LOG=/var/test/log STATE=/var/test/state ETC=/etc/.\nmkdir -p /var/test/state\n';
}

export function keep(cluster: Cluster, host: ClusterHost): Promise<string> {
  return output(`${environment()}${keepScript(cluster, host)}`, MOVED);
}

/** @param record that was judged to be of this cluster: by default the one that `layNode` lays */
export function undo(cluster: Cluster, host: ClusterHost, record = recordOf(cluster.name)): Promise<string> {
  return durable(undoScript(cluster, host, record));
}

const recordOf = (cluster: string) => `{\n  "cluster": "${cluster}"\n}`;

/** What was called, one line each; empty where nothing was. */
export function calls(): string[] {
  return exists('/var/test/log') ? read('/var/test/log').split('\n').filter(Boolean) : [];
}

/** A host as its owner had it: a balancer of their own, swap, one account. */
export function layHost(): void {
  programs();
  lay('/var/test/state/.keep');
  lay('/proc/sys/net/ipv4/ip_forward', '0\n');
  lay('/proc/modules', 'nf_tables 1 0 - Live 0x0\n');
  lay('/proc/swaps', 'Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n');
  lay('/proc/self/mountinfo', '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n');
  lay('/proc/net/ip_tables_names', 'filter\n');
  lay('/etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
  lay('/etc/group', 'root:x:0:\n');
  lay(FSTAB_PATH, '/dev/sda2 none swap sw 0 0\n');
  lay('/etc/haproxy/haproxy.cfg', 'of a person\n');
  lay('/var/machine-sys/class/net/eth0/address');
}

/** What an install and a life as a node have left on it. */
export function layNode(cluster: string): void {
  lay(OWNER_PATH, `${recordOf(cluster)}\n`);
  lay('/etc/sysctl.d/zz-kubewright.conf', 'net.ipv4.ip_forward = 1\n');
  lay('/proc/sys/net/ipv4/ip_forward', '1\n');
  lay('/proc/swaps', 'Filename Type Size Used Priority\n');
  lay(FSTAB_PATH, '# switched off by Kubewright: /dev/sda2 none swap sw 0 0\n');
  lay('/etc/haproxy/haproxy.cfg', 'of Kubewright\n');
  lay('/etc/haproxy/haproxy.cfg.kubewright-backup-20260101T000000.000Z', 'of a person\n');
  lay('/etc/systemd/system/kubelet.service', '[Service]\n');
  lay('/etc/systemd/system/haproxy.service.d/10-kubewright.conf', '[Service]\n');
  lay('/etc/kubernetes/kubelet.conf', 'x');
  lay('/etc/kubernetes/pki/ca.key', 'x');
  lay('/var/lib/kubelet/config.yaml', 'x');
  lay('/var/lib/etcd/member/snap/db', 'x');
  lay('/var/lib/containerd/blob', 'x');
  lay('/etc/cni/net.d/10-flannel.conflist', '{}');
  lay('/var/machine-opt/kubewright/kubernetes/v1/kubelet', 'x');
  lay('/etc/sysusers.d/kubewright-haproxy.conf', '# Written by Kubewright.\nu haproxy - "HAProxy" /var/lib/haproxy\n');
  lay('/etc/passwd', 'root:x:0:0::/root:/bin/sh\nhaproxy:x:990:990::/:/bin/false\n');
  for (const card of ['cni0', 'flannel.1', 'docker0']) lay(`/var/machine-sys/class/net/${card}/address`);
}
