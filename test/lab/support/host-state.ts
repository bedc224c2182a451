import type { LabHost } from '../../../lab/hosts/index.js';

/**
 * What a stranger sees of a host, one thing a line, by nobody's word but the system's own. Left out: what changes by itself (logs, caches,
 * times), and the lab's.
 */
const LOOK = `export LC_ALL=C
find /etc -xdev \\( -path /etc/ssh -o -name ld.so.cache -o -name mtab -o -name resolv.conf -o -name .updated -o -name '.pwd.lock' -o -name 'passwd*' -o -name 'group*' \\
  -o -name 'shadow*' -o -name 'gshadow*' -o -name 'subuid*' -o -name 'subgid*' \\) -prune -o -type f -exec sha256sum {} + | sed 's/^\\([0-9a-f]*\\) */file \\1 /'
find /etc /usr/local /opt -xdev -type l -printf 'symlink %p -> %l\\n'
find /usr/local /opt -xdev -type f -printf 'program %p %s\\n'
find /etc /usr/local /opt -xdev -type d -printf 'folder %p\\n'
find /var/lib -xdev -mindepth 1 -maxdepth 2 -type d -printf 'folder %p\\n'
for card in /sys/class/net/*; do echo "link \${card##*/}"; done
ip -o address show scope global | awk '{print "address", $2, $4}'
{ iptables-save; ip6tables-save; } 2>/dev/null | awk '/^:/ {print "chain", substr($1, 2)} /^-A/ {print "rule", $0}'
nft list tables 2>/dev/null | sed 's/^/nft /'
awk '{print "mount", $5}' /proc/self/mountinfo
cut -d: -f1 /etc/passwd | sed 's/^/user /'
cut -d: -f1 /etc/group | sed 's/^/group /'
awk 'NR > 1 {print "swap", $1}' /proc/swaps
dpkg-query -W -f='package \${binary:Package} \${db:Status-Abbrev}\\n'
systemctl list-unit-files --no-legend --plain --type=service | awk '{print "unit", $1, $2}'
systemctl list-units --no-legend --plain --type=service --state=active | awk '{print "active", $1}' | grep -vE ' (user@|session-|systemd-|sshd@|getty@)'
for name in net.ipv4.ip_forward vm.overcommit_memory kernel.panic kernel.panic_on_oops net.ipv4.conf.all.route_localnet; do
  echo "sysctl $name $(cat /proc/sys/\${name//.//})"
done
pgrep -l 'kubelet|containerd|kube-|etcd|haproxy|keepalived|flanneld|coredns' | sed 's/^[0-9]* /process /'
true
`;

/** The host's state, sorted. */
export async function hostState(host: LabHost): Promise<string[]> {
  const { stdout } = await host.exec(LOOK);
  return stdout.split('\n').filter(Boolean).sort();
}

/**
 * Why a difference is no fault. Packages stay, with their files, units and accounts; the lease keeps an overtaken run out; empty tables of
 * iptables stay once they were used.
 */
const ALLOWED: [RegExp, string][] = [
  [/^left package /, 'packages stay'],
  [/^left folder \/var\/lib\/kubewright$/, 'the lease is in it'],
  [/^left chain (INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING)$/, 'built-in chains stay once they were used'],
  [/^left nft table ip6? (filter|nat|mangle|raw)$/, 'empty tables of iptables stay once they were used'],
  [
    /^(left|gone) active (apt-daily|apt-daily-upgrade|dpkg-db-backup|logrotate|man-db|e2scrub_all|fstrim)\.service$/,
    'timers of the distribution',
  ],
];

/** What is there now and was not, and the other way round, but for what is explained. */
export function unexplained(before: string[], now: string[]): string[] {
  const [then, there] = [new Set(before), new Set(now)];
  const left = now.filter((line) => !then.has(line)).map((line) => `left ${line}`);
  const gone = before.filter((line) => !there.has(line)).map((line) => `gone ${line}`);
  return [...left, ...gone].filter((line) => !ALLOWED.some(([pattern]) => pattern.test(line)));
}
