import type { Cluster } from '../../cluster/types.js';
import { quote } from '../../hosts/shell.js';
import { PATCHES_DIRECTORY } from '../../render/kubeadm-paths.js';
import { KUBELET_PATCH_NAME, type KubeletFacts, renderKubeletPatch } from '../../render/kubelet-config.js';
import { KUBELET_DROP_IN_PATH, KUBELET_UNIT_PATH } from '../../render/kubelet-unit.js';
import { type Answer, no, refine, requireKnown, unknown, yes } from '../answers.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';

export interface HostFile {
  path: string;
  content: string;
}

/** Bash that writes files without secrets as part of a durable command, each as a whole. Kept patches are only ours. */
export function writeFiles(files: HostFile[]): string {
  return `${WRITE}rm -rf ${PATCHES_DIRECTORY}
mkdir -p ${PATCHES_DIRECTORY}
${writesOf(files)}
`;
}

/** The same for who has nothing to do with kubeadm's patches, and leaves them as they are. */
export function writeApartFromPatches(files: HostFile[]): string {
  return `${WRITE}${writesOf(files)}
`;
}

const WRITE = `umask 022
write() { mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1.new" && mv -f "$1.new" "$1"; }
`;

function writesOf(files: HostFile[]): string {
  return files.map(({ path, content }) => `write ${quote(path)} ${quote(content)}`).join('\n');
}

/** Bash: files that kubeadm and packages leave for everybody to read become root's alone. Nobody else reads them. */
export function strictPermissions({ security }: Pick<Cluster, 'security'>): string {
  if (security?.filePermissions !== 'strict') return '';
  return `for file in ${KUBELET_FILES.join(' ')}; do [ ! -e "$file" ] || chmod 0600 "$file"; done\n`;
}

/** Those of CIS 4.1: a bundle's unit and drop-in, and where the packages of Kubernetes put them. */
const KUBELET_FILES = [
  '/var/lib/kubelet/config.yaml',
  KUBELET_UNIT_PATH,
  KUBELET_DROP_IN_PATH,
  '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf',
];

/** kubeadm's patches for one host: those of cluster.yaml, and what this host's kubelet needs by itself. */
export function patchFiles(cluster: Cluster, facts: KubeletFacts): HostFile[] {
  const patches = [
    { name: KUBELET_PATCH_NAME, content: renderKubeletPatch(cluster, facts) },
    ...cluster.kubernetes.patches,
  ];
  return patches.map(({ name, content }) => ({ path: `${PATCHES_DIRECTORY}/${name}`, content }));
}

/**
 * What the kubelet's configuration has to know of the step's host. Images of a bundle count as pinned when the runtime
 * says so of one that it would not pin by itself, as it does with pause.
 */
export async function kubeletFacts(context: StepContext): Promise<KubeletFacts> {
  const { name } = context.host;
  const script = `ask resolved runs systemd-resolved
ask images crictl images -o json`;
  const facts = await gatherFacts(context.host, script, context.signal);
  // What is decided here stays in the kubelet's file for good. Taken for "does not run", a systemd that did not answer
  // would send pods to the stub 127.0.0.53; a runtime that did not, switch the collection of images off.
  const resolved = facts.answer('resolved', `systemd-resolved does not run on ${name}`);
  const pinned = refine(facts.answer('images', ''), (json) => answerPinned(json, name));
  return {
    resolvConf:
      requireKnown(resolved, 'whether systemd-resolved runs', name).is === 'yes'
        ? '/run/systemd/resolve/resolv.conf'
        : '/etc/resolv.conf',
    imagesPinned: requireKnown(pinned, 'whether the container runtime has pinned the images', name).is === 'yes',
  };
}

interface CriImage {
  repoTags?: string[];
  pinned?: boolean;
}

function answerPinned(json: string, host: string): Answer<true> {
  let list: { images?: CriImage[] };
  try {
    list = JSON.parse(json);
  } catch {
    return unknown('crictl printed something else than JSON');
  }
  const brought = (list.images ?? []).filter(({ repoTags = [] }) =>
    repoTags.some((tag) => /\/(kube-proxy|etcd):/.test(tag)),
  );
  const pinned = brought.length > 0 && brought.every((image) => image.pinned === true);
  return pinned ? yes(true) : no(`the runtime of ${host} does not report pinned images`);
}
