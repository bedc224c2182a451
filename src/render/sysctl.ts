import { isNode } from '../cluster/roles.js';
import type { Cluster, ClusterHost } from '../cluster/types.js';
import { componentsOf } from '../components/registry/plan.js';

/**
 * systemd-sysctl reads files in the order of their names, whatever their directory, and the last assignment counts
 * (sysctl.d(5)). `99-sysctl.conf`, the link to /etc/sysctl.conf that many images harden, must come before ours.
 */
export const SYSCTL_PATH = '/etc/sysctl.d/zz-kubewright.conf';
/** Where 0.1.0 wrote them. */
export const OLD_SYSCTL_PATH = '/etc/sysctl.d/99-kubewright.conf';

const POD_NETWORK = {
  // Pods' packets are routed by the host and seen by kube-proxy's rules: kubeadm's own preflight asks for both.
  'net.ipv4.ip_forward': '1',
  'net.bridge.bridge-nf-call-iptables': '1',
  'net.bridge.bridge-nf-call-ip6tables': '1',
};

/** The kernel settings of a host: what its role needs, then `sysctls` of cluster.yaml, which overrides; sorted by name. */
export function sysctlsFor(cluster: Cluster, { role }: Pick<ClusterHost, 'role'>): Map<string, string> {
  const needs = componentsOf(cluster).map((component) => component.sysctls(role));
  const merged = Object.assign({}, isNode(role) ? POD_NETWORK : {}, ...needs, cluster.sysctls);
  return new Map(Object.entries<string>(merged).sort(([a], [b]) => a.localeCompare(b)));
}

/** `/etc/sysctl.d/zz-kubewright.conf`, applied at boot by systemd-sysctl. */
export function renderSysctls(sysctls: Map<string, string>): string {
  const lines = [...sysctls].map(([name, value]) => `${name} = ${value}\n`);
  return `# Written by Kubewright from the host's role and from "sysctls" in cluster.yaml.\n${lines.join('')}`;
}

/**
 * The file of a setting below /proc/sys. A name has dots between its parts; where it has slashes, they separate and dots
 * are part of a name, such as `net/ipv4/conf/eth0.100/rp_filter` (sysctl.d(5)).
 */
export function sysctlFile(name: string): string {
  const slash = name.indexOf('/');
  const dot = name.indexOf('.');
  const slashes = slash !== -1 && (dot === -1 || slash < dot);
  return `/proc/sys/${slashes ? name : name.replace(/[./]/g, (mark) => (mark === '.' ? '/' : '.'))}`;
}

/** Values with several numbers are printed by the kernel with tabs between them. */
export function sameSysctl(a: string, b: string): boolean {
  const plain = (value: string) => value.trim().split(/\s+/).join(' ');
  return plain(a) === plain(b);
}

/** What a file sets at every boot. */
export interface BootSetting {
  name: string;
  value: string;
  file: string;
}

/**
 * Settings that a boot leaves other than they should be, because a file whose name sorts behind ours has the last word.
 *
 * @param catConfig what `systemd-sysctl --cat-config` prints: every file that a boot reads, in its order, each after a
 * comment with its path
 */
export function overriddenAtBoot(sysctls: Map<string, string>, catConfig: string): BootSetting[] {
  const last = lastAtBoot(catConfig);
  return [...sysctls].flatMap(([name, value]) => {
    const setting = last.get(sysctlFile(name));
    if (setting === undefined || sameSysctl(setting.value, value)) return [];
    return comesBehind(setting.file) ? [{ ...setting, name }] : [];
  });
}

/**
 * What has the last word on each setting at a boot, by the setting's file below /proc/sys.
 *
 * @param catConfig as above
 */
export function lastAtBoot(catConfig: string): Map<string, BootSetting> {
  const last = new Map<string, BootSetting>();
  let file = '';
  for (const line of catConfig.split('\n')) {
    file = /^# (\/.*\.conf)$/.exec(line)?.[1] ?? file;
    const [, name, value] = /^\s*-?([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    // A pattern never overrides a name that is written out.
    if (name === undefined || value === undefined || /[*?[]/.test(name)) continue;
    last.set(sysctlFile(name), { name, value, file });
  }
  return last;
}

function comesBehind(file: string): boolean {
  const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  return baseName(file) > baseName(SYSCTL_PATH);
}
