import { hostStep } from '../../../plan/step.js';
import { BINARY_DIRECTORY, CNI_BINARY_DIRECTORY, KUBELET_DROP_IN_PATH } from '../../../render/kubelet-unit.js';
import { PROGRAM_ROOT } from '../../../render/program-paths.js';
import { ours } from '../../leftovers.js';
import type { ArtifactSource } from '../../types.js';

/** Programs and images from one directory on the worker's machine. */
export const bundle: ArtifactSource = {
  programDirectory: BINARY_DIRECTORY,

  listeners: () => [],
  flows: () => [],
  fixedPorts: [],
  kernelFeatures: () => [],
  sysctls: () => ({}),
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  // kubelet and kubeadm, and the kubelet's unit, are told apart: those of others are in the way.
  leaves: ours([
    `${BINARY_DIRECTORY}/{kubectl,crictl,etcd,etcdctl,etcdutl}`,
    PROGRAM_ROOT,
    CNI_BINARY_DIRECTORY,
    KUBELET_DROP_IN_PATH,
    '/var/lib/kubewright/bundle',
  ]),

  programs: (host) => [
    hostStep(host, 'binaries', {
      phase: 'prepare',
      action: 'installBinaries',
      title: `Install Kubernetes binaries on ${host.name}`,
      needs: [`${host.name}/system`],
      timeoutMinutes: 30,
    }),
  ],

  images: (host, runtime) => [
    hostStep(host, 'images', {
      phase: 'prepare',
      action: 'importImages',
      title: `Import images on ${host.name}`,
      needs: runtime,
      timeoutMinutes: 60,
    }),
  ],

  checkImages: (host, joined) => [
    hostStep(host, 'check-images', {
      phase: 'verify',
      action: 'importCheckImages',
      title: `Import the check's image on ${host.name}`,
      needs: joined,
      timeoutMinutes: 60,
    }),
  ],
};
