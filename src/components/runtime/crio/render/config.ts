import { TOOL_PATH } from '../../../../hosts/shell.js';
import { CNI_BINARY_DIRECTORY } from '../../../../render/kubelet-unit.js';
import { merge, type Table, toToml } from '../../merge.js';
import {
  CRIO_POLICY_PATH,
  CRIO_SOCKET_PATH,
  crioDirectory,
  STORAGE_DRIVER,
  STORAGE_FOLDER,
  STORAGE_RUN_FOLDER,
} from '../paths.js';

export interface CrioConfig {
  /** Release, without a leading v. */
  version: string;
  /** Full name of the image that holds each pod's namespaces, as kubeadm wants it. */
  pauseImage: string;
  /** Full names of images that the kubelet's garbage collection spares. */
  pinnedImages: readonly string[];
  /** Whether the host says itself which images it trusts: that stays in force. */
  hasPolicy: boolean;
  /** File with the credentials of registries; null: none. */
  authFile: string | null;
  /** `runtime.config` of cluster.yaml: deep-merged over what is generated. */
  overrides: Record<string, unknown>;
}

/**
 * A drop-in of CRI-O's configuration (crio.conf.d(5)). What matters to the kubelet is written out even where it is the default, and
 * programs are named by the paths of one release: CRI-O looks for the others on its PATH.
 */
export function renderCrioConfig({ overrides, ...config }: CrioConfig): string {
  return `# Written by Kubewright. Change it through "runtime.config" in cluster.yaml.\n${toToml(merge(generated(config), overrides))}\n`;
}

function generated({ version, pauseImage, pinnedImages, hasPolicy, authFile }: Omit<CrioConfig, 'overrides'>): Table {
  const programs = crioDirectory(version);
  return {
    crio: {
      root: STORAGE_FOLDER,
      runroot: STORAGE_RUN_FOLDER,
      storage_driver: STORAGE_DRIVER,
      // With it CRI-O looks through its images after a loss of power, and deletes those that it cannot mend, or all of them.
      // Those of a bundle would be gone for good. They are synced to the disk when they are brought.
      clean_shutdown_file: '',
      api: { listen: CRIO_SOCKET_PATH },
      runtime: {
        cgroup_manager: 'systemd',
        default_runtime: 'crun',
        pinns_path: `${programs}/pinns`,
        runtimes: {
          crun: {
            runtime_path: `${programs}/crun`,
            runtime_type: 'oci',
            runtime_root: '/run/crun',
            monitor_path: `${programs}/conmon`,
            // With the pod: the end of crio.service is no end of containers.
            monitor_cgroup: 'pod',
            monitor_env: [`PATH=${TOOL_PATH}`],
          },
        },
      },
      image: {
        pause_image: pauseImage,
        pinned_images: [...pinnedImages],
        ...(hasPolicy ? {} : { signature_policy: CRIO_POLICY_PATH }),
        ...(authFile === null ? {} : { global_auth_file: authFile }),
      },
      network: { network_dir: '/etc/cni/net.d/', plugin_dirs: [`${CNI_BINARY_DIRECTORY}/`] },
    },
  };
}

/** Which images are trusted (containers-policy.json(5)): all, as containerd does it. Without any such file nothing is pulled. */
export function renderPolicy(): string {
  const policy = { default: [{ type: 'insecureAcceptAnything' }] };
  return `${JSON.stringify(policy, null, 2)}\n`;
}
