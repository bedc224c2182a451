import { hostStep } from '../../../plan/step.js';
import { BINARY_DIRECTORY } from '../../../render/kubelet-unit.js';
import { folders, ours, paths } from '../../leftovers.js';
import type { Runtime } from '../../types.js';
import { CRICTL_CONFIG_PATH } from '../crictl.js';
import {
  CRIO_CONFIG_PATH,
  CRIO_DROP_IN_PATH,
  CRIO_POLICY_PATH,
  CRIO_SOCKET,
  CRIO_UNIT_PATH,
  STORAGE_FOLDER,
} from './paths.js';

const EVERYWHERE = ['control-plane', 'worker', 'etcd'] as const;

/** CRI-O with crun and conmon, from the bundle. */
export const crio: Runtime = {
  socket: CRIO_SOCKET,
  unit: 'crio.service',
  imageFolder: STORAGE_FOLDER,
  bundleOptions: ' --from official --runtime crio',
  hasRegistries: () => false,
  takesTokens: true,

  listeners: () => [],
  flows: () => [],
  fixedPorts: [],
  kernelFeatures: () => [{ module: 'overlay', evidence: 'filesystem:overlay', purpose: "CRI-O's overlay storage" }],
  sysctls: () => ({}),
  packages: () => ({ install: [], hold: [] }),
  services: [
    {
      name: 'crio',
      packages: ['cri-o'],
      configuration: CRIO_CONFIG_PATH,
      roles: EVERYWHERE,
      remedy: 'What has to stay of its configuration goes into runtime.config of cluster.yaml',
    },
  ],
  replaces: [
    { path: CRICTL_CONFIG_PATH, roles: EVERYWHERE },
    { path: CRIO_UNIT_PATH, roles: EVERYWHERE },
    { path: CRIO_POLICY_PATH, roles: EVERYWHERE },
  ],
  leaves: [
    ...ours([
      CRIO_CONFIG_PATH,
      CRIO_DROP_IN_PATH,
      CRIO_UNIT_PATH,
      CRIO_POLICY_PATH,
      CRICTL_CONFIG_PATH,
      '/etc/crio/registry-auth.json',
      '/etc/containers/registries.conf.d/99-kubewright.conf',
      `${BINARY_DIRECTORY}/crio`,
    ]),
    ...folders('CRI-O', ['/etc/crio', STORAGE_FOLDER, '/var/lib/crio', '/run/crio']),
    // The network that CRI-O's packages bring: until the pod network's own file is there pods would be given to it.
    ...paths('another pod network', 'trace', [
      '/etc/cni/net.d/*crio*bridge*.conf',
      '/etc/cni/net.d/*crio*bridge*.conflist',
    ]),
  ],

  prepare: (_, host) => [
    hostStep(host, 'runtime', {
      phase: 'prepare',
      action: 'configureCrio',
      title: `Configure CRI-O on ${host.name}`,
      // Whether it sees an image, only crictl can ask it.
      needs: [`${host.name}/system`, `${host.name}/binaries`],
      timeoutMinutes: 30,
    }),
  ],
};
