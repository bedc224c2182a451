import { hostStep } from '../../../plan/step.js';
import { ours } from '../../leftovers.js';
import type { Runtime } from '../../types.js';
import { CONTAINERD_CONFIG_PATH, CONTAINERD_DROP_IN_PATH, CONTAINERD_SOCKET, CRICTL_CONFIG_PATH } from './paths.js';

const EVERYWHERE = ['control-plane', 'worker', 'etcd'] as const;

/** containerd and runc, from the distribution. */
export const containerd: Runtime = {
  socket: `unix://${CONTAINERD_SOCKET}`,
  unit: 'containerd.service',

  listeners: () => [],
  flows: () => [],
  fixedPorts: [],
  kernelFeatures: () => [
    { module: 'overlay', evidence: 'filesystem:overlay', purpose: "containerd's overlay snapshots" },
  ],
  sysctls: () => ({}),
  // An upgrade of the system must not restart the runtime.
  packages: () => ({ install: [], hold: ['containerd', 'runc'] }),
  services: [
    {
      name: 'containerd',
      packages: ['containerd', 'containerd.io'],
      configuration: CONTAINERD_CONFIG_PATH,
      roles: EVERYWHERE,
      remedy: 'What has to stay of its configuration goes into runtime.config of cluster.yaml',
    },
  ],
  replaces: [{ path: CRICTL_CONFIG_PATH, roles: EVERYWHERE }],
  leaves: ours([CONTAINERD_CONFIG_PATH, CONTAINERD_DROP_IN_PATH, CRICTL_CONFIG_PATH]),

  prepare: (host) => [
    hostStep(host, 'runtime', {
      phase: 'prepare',
      action: 'configureRuntime',
      title: `Configure containerd on ${host.name}`,
      needs: [`${host.name}/packages`],
    }),
  ],
};
