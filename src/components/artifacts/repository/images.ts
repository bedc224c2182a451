import { CHECK_IMAGE } from '../../../bundle/image-names.js';
import type { Role } from '../../../cluster/types.js';
import type { SourcedImage } from '../artifacts.js';

const REGISTRY = 'registry.k8s.io';

/** Tags that kubeadm writes into its manifests besides the version of Kubernetes (cmd/kubeadm/app/constants/constants.go of each release). */
const BUILT_IN: Readonly<Record<string, { etcd: string; coredns: string }>> = {
  '1.34.3': { etcd: '3.6.5-0', coredns: 'v1.12.1' },
  '1.35.4': { etcd: '3.6.6-0', coredns: 'v1.13.1' },
  '1.36.3': { etcd: '3.6.8-0', coredns: 'v1.14.2' },
  '1.37.2': { etcd: '3.7.0-0', coredns: 'v1.14.6' },
};

/** PauseVersion of the same file, by minor. kubeadm only warns where a runtime has another one. */
const PAUSE: Readonly<Record<string, string>> = {
  '1.34': '3.10.1',
  '1.35': '3.10.1',
  '1.36': '3.10.2',
  '1.37': '3.10.2',
};

/** Full name of the pause image for a version of Kubernetes of a minor that is installed. */
export function pauseImageOf(version: string): string {
  const minor = version.split('.').slice(0, 2).join('.');
  const tag = PAUSE[minor];
  // Which minors there are is checked when the file is read, so this is a programming error, not a user's.
  if (tag === undefined) throw new Error(`no pause image is known for Kubernetes ${minor}`);
  return `${REGISTRY}/pause:${tag}`;
}

export interface RoleImages {
  /** Whether a control plane holds a member of etcd. */
  holdsMember: boolean;
  /** Of the pod network, which every node runs. */
  network: readonly string[];
}

/**
 * What hosts of a role pull before they come up. Of a release whose etcd and CoreDNS are not known here, kubeadm and the kubelet pull
 * these two themselves.
 *
 * @param version of Kubernetes, without a leading v
 */
export function imagesOfRole(version: string, role: Role, { holdsMember, network }: RoleImages): SourcedImage[] {
  const kubernetes = (...names: string[]) => names.map((name) => `${REGISTRY}/${name}:v${version}`);
  const known = BUILT_IN[version];
  const etcd = known === undefined ? [] : [`${REGISTRY}/etcd:${known.etcd}`];
  const dns = known === undefined ? [] : [`${REGISTRY}/coredns/coredns:${known.coredns}`];
  const pause = pauseImageOf(version);
  const everywhere = [...kubernetes('kube-proxy'), ...dns, pause, ...network];
  const controlPlane = kubernetes('kube-apiserver', 'kube-controller-manager', 'kube-scheduler');
  const names: Record<Role, string[]> = {
    'control-plane': [...controlPlane, ...(holdsMember ? etcd : []), ...everywhere],
    worker: everywhere,
    etcd: [pause, ...etcd],
    director: [],
  };
  return names[role].map((name) => ({ names: [name] }));
}

/** What the last check asks DNS with. */
export const CHECK_IMAGES: readonly SourcedImage[] = [{ names: [CHECK_IMAGE] }];
