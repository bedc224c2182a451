import { compareVersions } from '../../../../compare-versions.js';
import { CNI_BINARY_DIRECTORY } from '../../../../render/kubelet-unit.js';
import { merge, type Table, toToml } from '../../merge.js';
import { inFormat } from './names.js';

export interface ContainerdConfig {
  /** As `containerd --version` says, such as `1.6.20` or `2.1.0-rc.1`. */
  version: string;
  /** Full name of the image that holds each pod's namespaces, as kubeadm wants it. */
  pauseImage: string;
  /** Directory with hosts.toml files, for a registry of the user's; left out: none. */
  hostsDirectory?: string | undefined;
  /** `runtime.config` of cluster.yaml: deep-merged over what is generated. */
  overrides: Record<string, unknown>;
}

/**
 * `/etc/containerd/config.toml`. The format is version 2 for containerd 1.x and version 3 for 2.x, whose CRI plugin is
 * split in two (containerd's docs/cri/config.md). What matters to the kubelet is written out even where it is the
 * default, because distributions patch the defaults: Debian's has CNI plugins in /usr/lib/cni.
 */
export function renderContainerdConfig({ version, pauseImage, hostsDirectory, overrides }: ContainerdConfig): string {
  const format = compareVersions(version, '2') >= 0 ? 3 : 2;
  const registry = hostsDirectory === undefined ? {} : { registry: { config_path: hostsDirectory } };
  const generated = format === 3 ? formatVersion3(version, pauseImage, registry) : formatVersion2(pauseImage, registry);
  const wanted = merge(generated, inFormat(format, overrides));
  return `# Written by Kubewright. Change it through "runtime.config" in cluster.yaml.\n${toToml(wanted)}\n`;
}

/** The kubelet uses the systemd cgroup driver, and two managers of one cgroup tree end in lost limits. */
const RUNC = { runtime_type: 'io.containerd.runc.v2', options: { SystemdCgroup: true } };
const CNI_CONFIG_DIRECTORY = '/etc/cni/net.d';

function formatVersion2(pauseImage: string, registry: Table): Table {
  return {
    version: 2,
    plugins: {
      'io.containerd.grpc.v1.cri': {
        sandbox_image: pauseImage,
        ...registry,
        cni: { bin_dir: CNI_BINARY_DIRECTORY, conf_dir: CNI_CONFIG_DIRECTORY },
        containerd: { snapshotter: 'overlayfs', default_runtime_name: 'runc', runtimes: { runc: RUNC } },
      },
    },
  };
}

function formatVersion3(version: string, pauseImage: string, registry: Table): Table {
  // 2.1 brought the list, 2.3 drops the single one (containerd.io/releases: deprecated config properties).
  const binaries =
    compareVersions(version, '2.1') >= 0 ? { bin_dirs: [CNI_BINARY_DIRECTORY] } : { bin_dir: CNI_BINARY_DIRECTORY };
  return {
    version: 3,
    plugins: {
      'io.containerd.cri.v1.images': { snapshotter: 'overlayfs', pinned_images: { sandbox: pauseImage }, ...registry },
      'io.containerd.cri.v1.runtime': {
        cni: { ...binaries, conf_dir: CNI_CONFIG_DIRECTORY },
        containerd: { default_runtime_name: 'runc', runtimes: { runc: RUNC } },
      },
    },
  };
}
