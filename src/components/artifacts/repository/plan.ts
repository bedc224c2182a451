import type { ClusterHost } from '../../../cluster/types.js';
import { hostStep } from '../../../plan/step.js';
import type { Step } from '../../../plan/types.js';
import { PACKAGE_DIRECTORY } from '../../../render/kubelet-unit.js';
import { ours } from '../../leftovers.js';
import type { ArtifactSource } from '../../types.js';
import { settingsOf } from './settings.js';

/** Packages of Kubernetes from a repository, images from their registries. */
export const repository: ArtifactSource = {
  programDirectory: PACKAGE_DIRECTORY,

  listeners: () => [],
  flows: () => [],
  fixedPorts: [],
  kernelFeatures: () => [],
  sysctls: () => ({}),
  // Those of Kubernetes come in certain versions, by a step of their own.
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  // The kubelet's unit and etcd's tools are told where bundles bring them.
  leaves: ours([
    '/etc/apt/keyrings/kubewright-kubernetes{.asc,-ca.pem}',
    '/etc/apt/sources.list.d/kubewright-kubernetes.sources',
    '/etc/apt/apt.conf.d/60kubewright-kubernetes',
    '/etc/apt/auth.conf.d/kubewright-kubernetes.conf',
    '/etc/yum.repos.d/kubewright-kubernetes.repo',
    '/etc/pki/rpm-gpg/{RPM-GPG-KEY-kubewright-kubernetes,kubewright-kubernetes-ca.pem}',
  ]),
  secrets(cluster) {
    const { loginEnv } = settingsOf(cluster);
    return loginEnv === null ? [] : [loginEnv];
  },

  programs: (host) => [
    hostStep(host, 'binaries', {
      phase: 'prepare',
      action: 'installKubernetesPackages',
      title: `Install the packages of Kubernetes on ${host.name}`,
      // One package manager at a time: its lock is the host's.
      needs: [`${host.name}/packages`],
      timeoutMinutes: 40,
    }),
  ],

  images: (host, runtime) => (hasEtcdTools(host) ? imagesWithTools(host, runtime) : [pull(host, 'images', runtime)]),

  checkImages: (host, joined) => [
    hostStep(host, 'check-images', {
      phase: 'verify',
      action: 'importCheckImages',
      title: `Pull the check's image on ${host.name}`,
      needs: joined,
      timeoutMinutes: 60,
    }),
  ],
};

/** Where a person would look at etcd, and steps do. */
function hasEtcdTools({ role }: ClusterHost): boolean {
  return role === 'control-plane' || role === 'etcd';
}

function pull(host: ClusterHost, name: string, runtime: string[]): Step {
  return hostStep(host, name, {
    phase: 'prepare',
    action: 'importImages',
    title: `Pull images on ${host.name}`,
    needs: runtime,
    timeoutMinutes: 60,
  });
}

/** The last step is what everybody waits for under this name: nobody looks at etcd before its tools are there. */
function imagesWithTools(host: ClusterHost, runtime: string[]): Step[] {
  const pulled = pull(host, 'pull', runtime);
  return [
    pulled,
    hostStep(host, 'images', {
      phase: 'prepare',
      action: 'bringEtcdTools',
      title: `Take etcdctl and etcdutl out of etcd's image on ${host.name}`,
      // kubeadm says which image that is.
      needs: [pulled.id, `${host.name}/binaries`],
      timeoutMinutes: 30,
    }),
  ];
}
