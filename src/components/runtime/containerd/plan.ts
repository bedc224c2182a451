import type { Cluster } from '../../../cluster/types.js';
import { hostStep } from '../../../plan/step.js';
import { BINARY_DIRECTORY } from '../../../render/kubelet-unit.js';
import { folders, ours } from '../../leftovers.js';
import type { Runtime } from '../../types.js';
import { CRICTL_CONFIG_PATH } from '../crictl.js';
import { CONTAINERD_CONFIG_PATH, CONTAINERD_DROP_IN_PATH, CONTAINERD_SOCKET, CONTAINERD_UNIT_PATH } from './paths.js';
import { settingsOf } from './settings.js';

const EVERYWHERE = ['control-plane', 'worker', 'etcd'] as const;

/** Keys of containerd's configuration with which hosts pull through something of the user's: hosts.toml files, mirrors. */
function namesRegistry(config: unknown): boolean {
  if (typeof config !== 'object' || config === null) return false;
  return Object.entries(config).some(([key, value]) => key === 'registry' || namesRegistry(value));
}

/** containerd and runc, from the bundle or from the distribution. */
export const containerd: Runtime = {
  socket: CONTAINERD_SOCKET,
  imageFolder: '/var/lib/containerd',
  bundleOptions: '',
  takesTokens: false,
  unit: 'containerd.service',
  hasRegistries: (cluster) => namesRegistry(settingsOf(cluster).config),

  listeners: () => [],
  flows: () => [],
  fixedPorts: [],
  kernelFeatures: () => [
    { module: 'overlay', evidence: 'filesystem:overlay', purpose: "containerd's overlay snapshots" },
  ],
  sysctls: () => ({}),
  // An upgrade of the system must not restart the runtime.
  packages: (cluster) => ({ install: [], hold: fromBundle(cluster) ? [] : ['containerd', 'runc'] }),
  services: [
    {
      name: 'containerd',
      packages: ['containerd', 'containerd.io'],
      configuration: CONTAINERD_CONFIG_PATH,
      roles: EVERYWHERE,
      remedy: 'What has to stay of its configuration goes into runtime.config of cluster.yaml',
    },
  ],
  replaces: [
    { path: CRICTL_CONFIG_PATH, roles: EVERYWHERE },
    { path: CONTAINERD_UNIT_PATH, roles: EVERYWHERE },
  ],
  leaves: [
    ...ours([
      CONTAINERD_CONFIG_PATH,
      CONTAINERD_DROP_IN_PATH,
      CONTAINERD_UNIT_PATH,
      CRICTL_CONFIG_PATH,
      '/etc/containerd/kubewright-registry-ca.crt',
      `${BINARY_DIRECTORY}/{containerd,containerd-shim-runc-v2,ctr,runc}`,
    ]),
    ...folders('containerd', ['/etc/containerd', '/var/lib/containerd', '/run/containerd', '/opt/containerd']),
  ],

  prepare: (cluster, host) => [
    hostStep(host, 'runtime', {
      phase: 'prepare',
      action: 'configureRuntime',
      title: `Configure containerd on ${host.name}`,
      // The bundle's needs nothing of the distribution, so a mirror that is slow does not hold it up.
      needs: [`${host.name}/${fromBundle(cluster) ? 'system' : 'packages'}`],
      timeoutMinutes: 30,
    }),
  ],
};

function fromBundle(cluster: Cluster): boolean {
  return settingsOf(cluster).source === 'bundle';
}
