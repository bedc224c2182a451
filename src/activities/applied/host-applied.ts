import { X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import { type Cluster, type ClusterHost, hostsOf } from '../../cluster/types.js';
import {
  ETCD_KUBEADM_CONFIG_PATH,
  ETCD_KUBELET_CONFIG_PATH,
  ETCD_UNIT_PATH,
} from '../../components/etcd/members/places.js';
import { artifactSourceOf } from '../../components/registry/plan.js';
import {
  KUBEADM_CONFIG_PATH,
  MANIFESTS_DIRECTORY,
  PATCHES_DIRECTORY,
  PKI_DIRECTORY,
} from '../../render/kubeadm-paths.js';
import { KUBELET_PATCH_NAME } from '../../render/kubelet-config.js';
import { BINARY_DIRECTORY } from '../../render/kubelet-unit.js';
import { OWNER_PATH, parseOwner } from '../../render/owner.js';
import { type Answer, no, refine, unknown, yes } from '../answers.js';
import { ADMIN_KUBECONFIG, kubectl } from '../kubeadm/control-plane.js';
import { CONTROL_PLANE_COMPONENTS } from '../kubeadm/node/static-pods.js';
import type { Facts } from '../remote-facts.js';
import { documentOf, extraArgsOf, settingsOf } from './parse.js';
import type { AppliedHost, BegunWith, HostSource } from './types.js';

const KUBELET_CONFIG = '/var/lib/kubelet/config.yaml';
const KUBELET_FLAGS = '/var/lib/kubelet/kubeadm-flags.env';

/**
 * Bash `running_kubelet`: version of the kubelet that runs, whatever file is in its place by now; else of the one that is
 * installed; nothing without one. `ask` it, for it says no where there is none.
 */
export function runningKubelet(directory: string = BINARY_DIRECTORY): string {
  return `running_kubelet() {
  local pid
  pid=$(systemctl show --property=MainPID --value kubelet.service) || return 1
  if [ "\${pid:-0}" -gt 0 ]; then timeout 10 "/proc/$pid/exe" --version && return; fi
  exists ${directory}/kubelet || return
  timeout 10 ${directory}/kubelet --version
}
`;
}

/** The same for a bundle's. */
export const RUNNING_KUBELET = runningKubelet();

/** Version from what `kubelet --version` prints, without the v. */
export function versionIn(text: string): string | undefined {
  return /\bv(\d+\.\d+\.\d+\S*)/.exec(text)?.[1];
}

/** Bash that asks one host what former runs left there: one round trip, nothing is changed. */
export function hostScript(cluster: Cluster, host: ClusterHost): string {
  const manifests = [...CONTROL_PLANE_COMPONENTS, 'etcd'].map(
    (name) => `ask manifest:${name} content ${MANIFESTS_DIRECTORY}/${name}.yaml`,
  );
  const controlPlane = `ask initialised exists ${ADMIN_KUBECONFIG} ${MANIFESTS_DIRECTORY}/kube-apiserver.yaml
ask certificate content ${PKI_DIRECTORY}/apiserver.crt
fact begun cat ${KUBEADM_CONFIG_PATH}
fact begun-at stat -c %Y ${KUBEADM_CONFIG_PATH}
[ ! -e ${ADMIN_KUBECONFIG} ] || fact ready ${kubectl(cluster, host)} get --raw /readyz
`;
  return `${runningKubelet(artifactSourceOf(cluster).programDirectory)}patches() {
  local file sum
  exists ${PATCHES_DIRECTORY} || return
  for file in ${PATCHES_DIRECTORY}/*; do
    [ -f "$file" ] || continue
    sum=$(digest "$file") && [ -n "$sum" ] || return 1
    printf '%s %s\\n' "$sum" "\${file##*/}"
  done
}
ask owner content ${OWNER_PATH}
ask kubelet running_kubelet
ask flags content ${KUBELET_FLAGS}
ask config content ${host.role === 'etcd' ? ETCD_KUBELET_CONFIG_PATH : KUBELET_CONFIG}
ask etcd content ${ETCD_KUBEADM_CONFIG_PATH}
fact etcd-unit test -e ${ETCD_UNIT_PATH}
ask patches patches
${manifests.join('\n')}
${host.role === 'control-plane' ? controlPlane : ''}`;
}

/** What the facts of `hostScript` say of a host. */
export function parseHost(host: ClusterHost, facts: Facts): AppliedHost {
  const commands = new Map<string, string[]>();
  for (const name of [...CONTROL_PLANE_COMPONENTS, 'etcd']) {
    const command = commandOf(facts.text(`manifest:${name}`));
    if (command !== undefined) commands.set(name, command);
  }
  // A member that systemd runs is on a control plane before anything else is: there it tells of no role.
  const isMember = commands.has('etcd') || (host.role === 'etcd' && facts.holds('etcd-unit'));
  const etcdOnly = isMember && !commands.has('kube-apiserver');
  const role = commands.has('kube-apiserver') ? 'control-plane' : etcdOnly && facts.holds('etcd') ? 'etcd' : undefined;
  const hasRecord = parseOwner(facts.text('owner')) !== undefined;
  return {
    name: host.name,
    member: membershipOf(facts).is === 'yes' || (hasRecord && role === 'etcd'),
    role,
    kubeletVersion: versionIn(facts.text('kubelet')),
    commands,
    certificateNames: namesIn(facts.text('certificate')),
    kubeletFlags: flagsIn(facts.text('flags')),
    kubelet: facts.holds('config') ? settingsOf(facts.text('config')) : undefined,
    etcdRunner: facts.holds('etcd-unit') ? 'systemd' : commands.has('etcd') ? 'static-pods' : undefined,
    etcdArgs: facts.holds('etcd') ? etcdArgsIn(facts.text('etcd')) : undefined,
    patches: patchesIn(facts.text('patches')),
    unread: unreadOf(host, facts),
  };
}

function unreadOf({ role }: ClusterHost, facts: Facts): AppliedHost['unread'] {
  const manifests = [...CONTROL_PLANE_COMPONENTS, 'etcd'].map((name): HostSource => `manifest:${name}`);
  const sources: HostSource[] = ['owner', 'flags', 'config', 'etcd', 'patches', ...manifests];
  const unread: AppliedHost['unread'] = new Map();
  for (const source of role === 'control-plane' ? [...sources, 'certificate' as const] : sources) {
    const answer = facts.answer(source, 'it has none');
    if (answer.is === 'unknown') unread.set(source, answer.why.trim().split('\n').at(-1) ?? '');
  }
  const record = membershipOf(facts);
  if (record.is === 'unknown' && !unread.has('owner')) unread.set('owner', record.why);
  return unread;
}

/**
 * Whether the host is a whole member of a cluster: its record tells, and only one that could be read. Of which cluster is
 * for the host's own preflight to judge.
 */
export function membershipOf(facts: Facts): Answer<string> {
  return refine(facts.answer('owner', 'it bears no ownership record'), (text) => {
    const owner = parseOwner(text);
    if (owner === undefined) return unknown('its ownership record cannot be read');
    return owner.caFingerprint === null ? no('its record names no CA yet') : yes(owner.caFingerprint);
  });
}

/** What the youngest init of the cluster was run with, of all control planes that keep it. */
export function begunWith(cluster: Cluster, answers: Map<string, Facts>): BegunWith | undefined {
  const kept = hostsOf(cluster, 'control-plane').flatMap(({ name }) => {
    const facts = answers.get(name);
    if (facts === undefined || !facts.holds('begun')) return [];
    return [{ text: facts.text('begun'), at: Number(facts.text('begun-at')) }];
  });
  const youngest = kept.sort((a, b) => b.at - a.at)[0];
  if (youngest === undefined) return undefined;
  const { nodeRegistration } = documentOf(youngest.text, 'InitConfiguration') ?? {};
  return {
    kubelet: documentOf(youngest.text, 'KubeletConfiguration') ?? {},
    kubeProxy: documentOf(youngest.text, 'KubeProxyConfiguration') ?? {},
    kubeletArgs: extraArgsOf((nodeRegistration as { kubeletExtraArgs?: unknown } | undefined)?.kubeletExtraArgs),
  };
}

function commandOf(manifest: string): string[] | undefined {
  try {
    const pod = parse(manifest) as { spec?: { containers?: { command?: string[]; args?: string[] }[] } } | null;
    const container = pod?.spec?.containers?.[0];
    return container?.command === undefined ? undefined : [...container.command, ...(container.args ?? [])];
  } catch {
    return undefined;
  }
}

/** As OpenSSL writes them: `DNS:api.example.org, IP Address:203.0.113.7`. */
function namesIn(pem: string): string[] | undefined {
  try {
    const names = new X509Certificate(pem).subjectAltName ?? '';
    return names.split(', ').map((name) => name.replace(/^[^:]*:/, ''));
  } catch {
    return undefined;
  }
}

/** From `KUBELET_KUBEADM_ARGS="…"`, which kubeadm quotes as Go does. */
function flagsIn(text: string): string | undefined {
  const quoted = /^KUBELET_KUBEADM_ARGS=(".*")$/m.exec(text)?.[1];
  if (quoted === undefined) return undefined;
  try {
    return String(JSON.parse(quoted));
  } catch {
    return undefined;
  }
}

/** Flags that every member gets by itself. */
const OWN_ETCD_FLAGS = ['initial-cluster', 'initial-cluster-state', 'initial-cluster-token'];

function etcdArgsIn(text: string) {
  const etcd = documentOf(text, 'ClusterConfiguration')?.etcd as { local?: { extraArgs?: unknown } } | undefined;
  return extraArgsOf(etcd?.local?.extraArgs).filter(({ name }) => !OWN_ETCD_FLAGS.includes(name));
}

function patchesIn(text: string): Map<string, string> {
  const lines = text.split('\n').filter(Boolean);
  const pairs = lines.map((line): [string, string] => [line.slice(65), line.slice(0, 64)]);
  return new Map(pairs.filter(([name]) => name !== KUBELET_PATCH_NAME));
}
