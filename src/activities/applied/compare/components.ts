import type { Cluster, ExtraArg } from '../../../cluster/types.js';
import { kubeadmMakesMember } from '../../../components/registry/plan.js';

const SECTIONS = {
  'kube-apiserver': 'apiServer',
  'kube-controller-manager': 'controllerManager',
  'kube-scheduler': 'scheduler',
} as const;

type Section = (typeof SECTIONS)[keyof typeof SECTIONS];

/** A static pod of every control plane whose flags the file has a say in. */
export interface Component {
  component: string;
  /** The key of its flags in the file. */
  key: string;
  args: ExtraArg[];
  /** Its name in kubeadm's configuration. */
  section: Section | 'etcd';
}

/** A member of etcd is one of them where control planes hold one; others are made by steps of their own. */
export function componentsOf(cluster: Cluster): Component[] {
  const { kubernetes, etcd } = cluster;
  const own = Object.entries(SECTIONS).map(([component, section]) => ({
    component,
    section,
    key: `spec.kubernetes.${section}.extraArgs`,
    args: kubernetes[section].extraArgs,
  }));
  if (!kubeadmMakesMember(cluster, 'control-plane')) return own;
  return [...own, { component: 'etcd', section: 'etcd', key: 'spec.etcd.extraArgs', args: etcd.extraArgs }];
}

/** Names of the user's patches for one target of kubeadm: `TARGET[SUFFIX][+TYPE].yaml`. */
export function patchesOf({ kubernetes }: Cluster, target: string): string[] {
  return kubernetes.patches.map(({ name }) => name).filter((name) => name.startsWith(target));
}

/** Whether a patch of the user may have changed what is generated for it. */
export function isPatched(cluster: Cluster, target: string): boolean {
  return patchesOf(cluster, target).length > 0;
}
