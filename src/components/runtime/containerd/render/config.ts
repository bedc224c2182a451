import { stringify } from 'smol-toml';
import { compareVersions } from '../../../../compare-versions.js';
import { KubewrightError, messageOf } from '../../../../errors.js';
import { CNI_BINARY_DIRECTORY } from '../../../../render/kubelet-unit.js';
import { recordLoadedConfig } from '../../../../render/loaded-config.js';
import { CONTAINERD_SOCKET } from '../paths.js';
import { inFormat } from './names.js';

export interface ContainerdConfig {
  /** As `containerd --version` says, such as `1.6.20` or `2.1.0-rc.1`. */
  version: string;
  /** Full name of the image that holds each pod's namespaces, as kubeadm wants it. */
  pauseImage: string;
  /** `runtime.config` of cluster.yaml: deep-merged over what is generated. */
  overrides: Record<string, unknown>;
}

type Table = { [key: string]: unknown };

/**
 * `/etc/containerd/config.toml`. The format is version 2 for containerd 1.x and version 3 for 2.x, whose CRI plugin is
 * split in two (containerd's docs/cri/config.md). What matters to the kubelet is written out even where it is the
 * default, because distributions patch the defaults: Debian's has CNI plugins in /usr/lib/cni.
 */
export function renderContainerdConfig({ version, pauseImage, overrides }: ContainerdConfig): string {
  const format = compareVersions(version, '2') >= 0 ? 3 : 2;
  const generated = format === 3 ? formatVersion3(version, pauseImage) : formatVersion2(pauseImage);
  const wanted = merge(generated, inFormat(format, overrides));
  return `# Written by Kubewright. Change it through "runtime.config" in cluster.yaml.\n${toml(wanted)}\n`;
}

/** The kubelet uses the systemd cgroup driver, and two managers of one cgroup tree end in lost limits. */
const RUNC = { runtime_type: 'io.containerd.runc.v2', options: { SystemdCgroup: true } };
const CNI_CONFIG_DIRECTORY = '/etc/cni/net.d';

function formatVersion2(pauseImage: string): Table {
  return {
    version: 2,
    plugins: {
      'io.containerd.grpc.v1.cri': {
        sandbox_image: pauseImage,
        cni: { bin_dir: CNI_BINARY_DIRECTORY, conf_dir: CNI_CONFIG_DIRECTORY },
        containerd: { snapshotter: 'overlayfs', default_runtime_name: 'runc', runtimes: { runc: RUNC } },
      },
    },
  };
}

function formatVersion3(version: string, pauseImage: string): Table {
  // 2.1 brought the list, 2.3 drops the single one (containerd.io/releases: deprecated config properties).
  const binaries =
    compareVersions(version, '2.1') >= 0 ? { bin_dirs: [CNI_BINARY_DIRECTORY] } : { bin_dir: CNI_BINARY_DIRECTORY };
  return {
    version: 3,
    plugins: {
      'io.containerd.cri.v1.images': { snapshotter: 'overlayfs', pinned_images: { sandbox: pauseImage } },
      'io.containerd.cri.v1.runtime': {
        cni: { ...binaries, conf_dir: CNI_CONFIG_DIRECTORY },
        containerd: { default_runtime_name: 'runc', runtimes: { runc: RUNC } },
      },
    },
  };
}

/** Tables merge key by key; anything else, lists included, is replaced, and null takes a generated key away. */
function merge(base: Table, over: Table): Table {
  const merged: Table = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isTable(value) ? merge(isTable(below) ? below : {}, value) : value;
  }
  return merged;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toml(table: Table): string {
  try {
    return stringify(table).trimEnd();
  } catch (cause) {
    throw new KubewrightError('KW450', `"runtime.config" cannot be written as TOML: ${messageOf(cause)}`, {
      hint: 'TOML has no null inside of lists. Mend runtime.config in cluster.yaml.',
      cause,
    });
  }
}

/**
 * Drop-in that records, at every start of containerd, which configuration it read: so a later look can tell a process with
 * this configuration from one that was started before. There is no reload, for containerd has none. One that looks through
 * many containers on a slow disk is not ended by systemd after its usual 90 s, only to begin anew.
 *
 * @param paths files whose digest, one behind the other, is recorded
 * @param proxy for pulling images; null: none, whatever systemd gives to other services
 */
export function renderContainerdDropIn(paths: [string, ...string[]], proxy: PullProxy | null): string {
  return `# Written by Kubewright: records which configuration the running containerd has read.
[Service]
ExecStartPre=${recordLoadedConfig('containerd', ...paths)}
TimeoutStartSec=600
${proxy === null ? '' : renderProxy(proxy)}`;
}

/** Through which images are pulled, and from where they are not. */
export interface PullProxy {
  url: string;
  /** As Go's programs read NO_PROXY. */
  except: string;
}

function renderProxy({ url, except }: PullProxy): string {
  const variables = [`HTTP_PROXY=${url}`, `HTTPS_PROXY=${url}`, `NO_PROXY=${except}`];
  return variables.map((variable) => `Environment=${variable}\n`).join('');
}

/** `/etc/crictl.yaml`: without it crictl tries one socket after the other and warns. */
export function renderCrictlConfig(): string {
  return `# Written by Kubewright.\nruntime-endpoint: unix://${CONTAINERD_SOCKET}\nimage-endpoint: unix://${CONTAINERD_SOCKET}\n`;
}
