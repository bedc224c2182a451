import type { Cluster } from '../cluster/types.js';
import { type CleanUp, folders, type Leftover, type Meaning, ours, paths } from '../components/leftovers.js';
import { ALL_COMPONENTS, ALL_POD_NETWORKS, componentsOf } from '../components/registry/plan.js';
import { quote } from '../hosts/shell.js';
import { BINARY_DIRECTORY, KUBELET_UNIT_PATH } from '../render/kubelet-unit.js';
import { MODULES_PATH } from '../render/modules.js';
import { NETWORK_MANAGER_PATH } from '../render/network-manager.js';
import { SYSCTL_PATH } from '../render/sysctl.js';

/** kubeadm's own names of certificates and keys; whatever else lies in the directory was put there by somebody on purpose. */
const PKI = '/etc/kubernetes/pki';

const KUBEADM: Leftover[] = [
  ...paths(
    'kubeadm',
    'node',
    [
      '/etc/kubernetes/kubelet.conf',
      '/etc/kubernetes/bootstrap-kubelet.conf',
      '/etc/kubernetes/manifests/*.yaml',
      // With a CA's key a cluster begins here, or is taken up again from a backup.
      `${PKI}/ca.key`,
    ],
    'reset',
  ),
  ...paths(
    'kubeadm',
    'begun',
    [
      '/etc/kubernetes/{admin,super-admin,controller-manager,scheduler}.conf',
      `${PKI}/ca.crt`,
      '/var/lib/kubelet/config.yaml',
    ],
    'reset',
  ),
  ...paths(
    'kubeadm',
    'trace',
    [
      `${PKI}/sa.{key,pub}`,
      `${PKI}/{front-proxy-ca,front-proxy-client,apiserver,apiserver-kubelet-client,apiserver-etcd-client}.{crt,key}`,
      '/var/lib/kubelet/kubeadm-flags.env',
      '/var/lib/kubelet/pki/kubelet-client-current.pem',
    ],
    'reset',
  ),
];

/** Programs and units that our own steps put there too, and replace. */
const PROGRAMS: Leftover[] = paths('kubernetes', 'trace', [`${BINARY_DIRECTORY}/{kubelet,kubeadm}`, KUBELET_UNIT_PATH]);

/** Its KUBELET_EXTRA_ARGS are obeyed by whatever kubelet comes next. */
const ENVIRONMENT: Leftover[] = paths('kubernetes', 'residue', ['/etc/default/kubelet']);

const KUBE_PROXY: Leftover[] = [
  { kind: 'chain', name: 'KUBE-*', by: 'kubernetes', means: 'residue' },
  ...['ip/kube-proxy', 'ip6/kube-proxy'].map(
    (name): Leftover => ({ kind: 'table', name, by: 'kubernetes', means: 'residue' }),
  ),
  ...['kube-ipvs0', 'nodelocaldns'].map(
    (name): Leftover => ({ kind: 'interface', name, by: 'kubernetes', means: 'residue' }),
  ),
];

/** Folders that are Kubewright's alone, whatever is in them. */
export const OWN_FOLDERS: readonly string[] = [
  '/etc/kubewright',
  '/var/lib/kubewright',
  '/run/kubewright',
  '/run/kubewright-loaded',
  '/usr/local/lib/kubewright',
];

/** What the steps write that are of no component: the folders that are Kubewright's own, and the kernel's settings. */
const OWN: Leftover[] = ours([...OWN_FOLDERS, MODULES_PATH, NETWORK_MANAGER_PATH, SYSCTL_PATH]);

/** Where kubeadm and the kubelet have what is theirs. */
const NODE_FOLDERS: Leftover[] = folders('kubernetes', [
  '/etc/kubernetes',
  '/var/lib/kubelet',
  '/var/log/pods',
  '/var/log/containers',
  '/usr/libexec/kubernetes',
  '/etc/systemd/system/kubelet.service.d',
  '/etc/cni',
  '/opt/cni',
]);

const OTHER_NETWORKS: Leftover[] = [
  ...['vxlan.calico', 'cali*', 'cilium_*', 'lxc_health', 'weave', 'antrea-gw0', 'ovn-k8s-mp0', 'kube-bridge'].map(
    (name): Leftover => ({ kind: 'interface', name, by: 'another pod network', means: 'trace' }),
  ),
  ...['cali-*', 'CILIUM_*', 'OLD_CILIUM_*', 'WEAVE-*', 'KUBE-ROUTER-*', 'ANTREA-*'].map(
    (name): Leftover => ({ kind: 'chain', name, by: 'another pod network', means: 'trace' }),
  ),
  ...paths('another pod network', 'trace', [
    '/run/cilium',
    '/var/lib/calico',
    '/var/lib/weave',
    '/run/openvswitch/antrea*',
  ]),
];

const units = (by: string, names: string[]): Leftover[] =>
  names.map((name) => ({ kind: 'unit', name, by, means: 'trace' }));

const OTHER_INSTALLERS: Leftover[] = [
  ...paths('k3s', 'trace', [
    '/var/lib/rancher/k3s',
    '/etc/rancher/k3s',
    '/usr/local/bin/k3s',
    '/etc/systemd/system/k3s{,-agent}.service.env',
  ]),
  ...units('k3s', ['k3s.service', 'k3s-agent.service']),
  ...paths('RKE2', 'trace', ['/var/lib/rancher/rke2', '/etc/rancher/rke2', '/usr/local/bin/rke2', '/opt/rke2']),
  ...units('RKE2', ['rke2-server.service', 'rke2-agent.service']),
  // RKE's first generation and the agent of a Rancher server.
  ...paths('Rancher', 'trace', ['/opt/rke', '/var/lib/rancher/agent', '/etc/rancher/agent']),
  ...units('Rancher', ['rancher-system-agent.service']),
  ...paths('k0s', 'trace', ['/var/lib/k0s', '/etc/k0s', '/usr/local/bin/k0s', '/run/k0s']),
  ...units('k0s', ['k0scontroller.service', 'k0sworker.service']),
  ...paths('kubespray', 'trace', [
    '/etc/kubernetes/kubelet.env',
    '/etc/kubernetes/kubelet-config.yaml',
    '/etc/kubernetes/kubeadm-{config,client,controlplane}.yaml',
    '/etc/kubernetes/ssl',
    '/usr/local/bin/kubernetes-scripts',
    '/etc/etcd.env',
    '/etc/ssl/etcd',
    '/etc/systemd/system/etcd{,-events}.service',
  ]),
  ...paths('MicroK8s', 'trace', ['/var/snap/microk8s/current', '/var/snap/k8s/current']),
  ...units('MicroK8s', ['snap.microk8s.*.service', 'snap.k8s.*.service']),
  ...paths('minikube', 'trace', ['/var/lib/minikube']),
  ...paths('MicroShift', 'trace', ['/var/lib/microshift']),
  ...units('etcd', ['etcd.service']),
];

const LIST: Leftover[] = [
  ...KUBEADM,
  ...PROGRAMS,
  ...ENVIRONMENT,
  // Before the chains of Kubernetes itself, whose pattern matches those of kube-router too.
  ...OTHER_NETWORKS,
  ...KUBE_PROXY,
  ...ALL_COMPONENTS.flatMap(({ leaves }) => leaves),
  ...OTHER_INSTALLERS,
  ...OWN,
  ...NODE_FOLDERS,
];

/**
 * Everything that a node leaves on a host, of our making and of others'. The one list: whether a host is blank, whose it
 * is, and what the clean-up after a failed join takes away are subsets of it. What single components leave stands with
 * them; what several of them leave alike is listed once.
 */
export const LEFTOVERS: readonly Leftover[] = [
  ...new Map(LIST.map((each) => [`${each.kind} ${each.name} ${each.means}`, each])).values(),
];

/**
 * What of the list a host of such a cluster has of this cluster: what a reset of it takes away, or gives back. Files that only their
 * owner writes (`/etc/default/kubelet`) and what other installers leave are not among it.
 */
export function ownLeftovers(cluster: Cluster): Leftover[] {
  const components = componentsOf(cluster).flatMap(({ leaves }) => leaves);
  return [...KUBEADM, ...PROGRAMS, ...KUBE_PROXY, ...components, ...OWN, ...NODE_FOLDERS];
}

/** Whose leftovers say of no node that it may still be at work. */
export const LIFELESS_MAKERS: readonly string[] = [
  'kubernetes',
  'another pod network',
  ...ALL_POD_NETWORKS.map(({ maker }) => maker),
];

const named = (...meanings: Meaning[]): string[] =>
  meanings.flatMap((meaning) =>
    LEFTOVERS.filter(({ kind, means }) => kind === 'path' && means === meaning).map(({ name }) => name),
  );

/**
 * Bash patterns of files that only a node has, or a member of etcd: a host without any of them is blank, and a cluster
 * has not begun on it.
 */
export const NODE_PATHS: readonly string[] = named('node');

/** Bash patterns of files that `kubeadm init` or `join` has written, however far it came. */
export const BEGUN_PATHS: readonly string[] = named('node', 'begun');

/**
 * Those of them that only a life as a node leaves: an authority may have been brought by the host's owner before, and comes back to them
 * when the node is gone.
 */
export const LIVED_PATHS: readonly string[] = BEGUN_PATHS.filter((pattern) => !pattern.startsWith(`${PKI}/`));

/** Bash: function `name`, true (0) when one of these patterns matches something, a dangling link too. */
export function anyPathFunction(name: string, patterns: readonly string[]): string {
  return `${name}() {
  local file
  for file in ${patterns.join(' ')}; do if [ -e "$file" ] || [ -L "$file" ]; then return 0; fi; done
  return 1
}
`;
}

/**
 * Bash: what is left to take away after `kubeadm reset` of a join that failed. A directory that may be a mount point or a
 * link is emptied and stays; `lost+found` stays in it. Needs no `nullglob`.
 */
export function cleanUpScript(): string {
  const only = (cleanUp: CleanUp, ...kinds: Leftover['kind'][]) =>
    LEFTOVERS.filter((each) => each.cleanUp === cleanUp && kinds.includes(each.kind)).map(({ name }) => name);
  const empties = only('empty', 'content').map(
    (folder) =>
      `if [ -d ${folder} ]; then find ${folder}/ -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +; fi\n`,
  );
  return `${empties.join('')}rm -rf ${only('remove', 'path').join(' ')}
for card in /sys/class/net/*; do
  card=\${card##*/}
  case $card in ${only('remove', 'interface').join('|')}) ip link delete "$card" 2>/dev/null || true ;; esac
done
`;
}

/**
 * Bash that tells what of the list a host has, by `row leftover MEANING MAKER NAME`; `row`, `asked` and `chains` (the
 * names of all iptables and nftables chains) are the caller's: see `hostFactsScript`. The same name may come twice.
 */
export function leftoverFacts(): string {
  const of = (kind: Leftover['kind']) => LEFTOVERS.filter((each) => each.kind === kind && each.means !== 'ours');
  const cases = (kind: Leftover['kind'], shown: (pattern: string) => string) =>
    of(kind)
      .map(({ name, by, means }) => `  ${name}) row leftover ${means} '${by}' "${shown(name)}" ;;\n`)
      .join('');
  return `left() { local means=$1 by=$2 path; shift 2; for path; do if [ -e "$path" ] || [ -L "$path" ]; then row leftover "$means" "$by" "$path"; fi; done; }
${of('path')
  .map(({ name, by, means }) => `left ${means} '${by}' ${name}`)
  .join('\n')}
${of('content')
  .map(({ name, by, means }) => contentFacts(name, by, means))
  .join('\n')}
for card in /sys/class/net/*; do card=\${card##*/}; case $card in
${cases('interface', () => 'the network interface $card')}esac; done
while read -r chain; do case $chain in
${cases('chain', (pattern) => `firewall chains ${pattern}`)}esac; done < <(chains | sort -u)
while read -r unit _; do case $unit in
${cases('unit', () => 'the unit $unit')}esac; done < <(asked 'its units' systemctl list-unit-files --no-legend --plain swap.target ${of(
    'unit',
  )
    .map(({ name }) => quote(name))
    .join(' ')})`;
}

/** What other rows of the list name is not said twice. */
function contentFacts(folder: string, by: string, means: Meaning): string {
  const known = LEFTOVERS.filter(({ kind, name }) => kind === 'path' && name.startsWith(`${folder}/`));
  const names = ['lost+found', ...known.map(({ name }) => name.slice(folder.length + 1))];
  return `if [ -d ${folder} ]; then while IFS= read -r path; do row leftover ${means} '${by}' "$path"; done < <(find ${folder}/ -mindepth 1 -maxdepth 1 ${names.map((name) => `! -name '${name}'`).join(' ')} | tr -s /); fi`;
}
