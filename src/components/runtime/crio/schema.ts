import type { Check } from '../../../cluster/checks/index.js';
import { type Path, valueAt } from '../../../cluster/path.js';
import { type Draft, type INVALID, isMap, pick, recordOf } from '../../../cluster/resolve/draft.js';
import type { ChoiceSchema } from '../../schema-types.js';
import { RUNTIME_KEYS } from '../keys.js';

type SectionDraft =
  | Draft<{ source?: 'bundle' | 'distribution'; config?: Record<string, unknown> | null }>
  | typeof INVALID
  | null;

const CONFIG: Path = ['spec', 'runtime', 'config'];

/** Keys that are set already, and by what; a value that may stand there all the same. */
const MANAGED: readonly { key: string; only?: string; reason: string }[] = [
  { key: 'root', reason: 'images are brought there' },
  { key: 'runroot', reason: 'images are brought there' },
  { key: 'storage_driver', only: 'overlay', reason: 'images are brought with it' },
  { key: 'api.listen', reason: 'the kubelet and crictl look for CRI-O there' },
  { key: 'runtime.cgroup_manager', only: 'systemd', reason: 'two managers of one cgroup tree end in lost limits' },
  { key: 'runtime.pinns_path', reason: 'it is in the bundle' },
  { key: 'image.pause_image', reason: 'it is the one that kubeadm wants' },
  { key: 'image.default_transport', only: 'docker://', reason: 'images come from registries' },
  { key: 'network.network_dir', reason: 'pod networks write to /etc/cni/net.d' },
];

/** Keys that CRI-O 1.34 and newer takes without a word, or no longer at all (pkg/config/config.go there), and what to write instead. */
const OUTDATED: readonly { key: string; instead: string }[] = [
  { key: 'internal_wipe', instead: 'clean_shutdown_file, which is empty here' },
  {
    key: 'image.insecure_registries',
    instead: 'packages.registry, or `insecure` in /etc/containers/registries.conf.d',
  },
  { key: 'image.registries', instead: 'full names of images' },
  { key: 'runtime.conmon', instead: 'crio.runtime.runtimes.NAME.monitor_path' },
  { key: 'runtime.conmon_cgroup', instead: 'crio.runtime.runtimes.NAME.monitor_cgroup' },
  { key: 'runtime.conmon_env', instead: 'crio.runtime.runtimes.NAME.monitor_env' },
  { key: 'network.plugin_dir', instead: 'crio.network.plugin_dirs' },
];

const checkSource: Check = (_, report) => {
  const path: Path = ['spec', 'runtime', 'source'];
  if (valueAt(report.document.value, path) !== 'distribution') return;
  report.error(path, 'crio-source', {
    message:
      'no distribution has the CRI-O of each minor of Kubernetes, and a repository of its makers is not added to hosts',
    expected: 'bundle, made by `kubewright bundle create --from official --runtime crio`',
  });
};

/** Every option of CRI-O stands below the table `crio`; what is beside it, CRI-O does not read. */
const checkTable: Check = (_, report) => {
  const config = valueAt(report.document.value, CONFIG);
  if (!isMap(config)) return;
  for (const key of Object.keys(config).filter((name) => name !== 'crio')) {
    report.error([...CONFIG, key], 'outside-of-crio', {
      message: "CRI-O's options stand below the key crio",
      expected: `crio: { ${key}: … }`,
      at: 'key',
    });
  }
};

const checkKeys: Check = (_, report) => {
  const place = (key: string): Path => [...CONFIG, 'crio', ...key.split('.')];
  for (const { key, only, reason } of MANAGED) {
    const value = valueAt(report.document.value, place(key));
    if (value === undefined || value === only) continue;
    report.error(place(key), 'managed-setting', {
      message: only === undefined ? `this is set by Kubewright: ${reason}` : `only one value works: ${reason}`,
      expected: only ?? '',
      at: only === undefined ? 'key' : 'value',
    });
  }
  for (const { key, instead } of OUTDATED) {
    if (valueAt(report.document.value, place(key)) === undefined) continue;
    report.warn(place(key), 'outdated-setting', {
      message: 'CRI-O has given this key up',
      expected: instead,
      at: 'key',
    });
  }
};

export const schema = {
  description: 'CRI-O, with crun and conmon.',
  keys: RUNTIME_KEYS,
  resolve: (runtime: SectionDraft) => ({
    source: pick(runtime, 'source', 'bundle') === 'bundle' ? ('bundle' as const) : undefined,
    config: recordOf(pick(runtime, 'config', {})),
  }),
  onlyInBundle: () => ({ key: 'type', instead: 'containerd' }),
  checks: [checkSource, checkTable, checkKeys],
} satisfies ChoiceSchema;
