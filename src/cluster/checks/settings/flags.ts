import type { Path } from '../../path.js';
import { valueAt } from '../../path.js';
import type { Report } from '../../report.js';
import type { Sketch } from '../../resolve/draft.js';
import type { Cluster, ExtraArg } from '../../types.js';
import type { Check } from '../index.js';
import { API_SERVER, CONTROLLER_MANAGER, ETCD, KUBELET, type ManagedFlags, SCHEDULER } from './managed-flags.js';

/** Go's strconv.ParseBool. */
const FALSE = ['false', 'False', 'FALSE', 'f', 'F', '0'];

interface Component {
  owner: Path;
  args: (cluster: Sketch<Cluster>) => Sketch<ExtraArg[]>;
  managed: ManagedFlags;
}

const COMPONENTS: Component[] = [
  {
    owner: ['spec', 'kubernetes', 'apiServer'],
    args: (cluster) => cluster.kubernetes.apiServer.extraArgs,
    managed: API_SERVER,
  },
  {
    owner: ['spec', 'kubernetes', 'controllerManager'],
    args: (cluster) => cluster.kubernetes.controllerManager.extraArgs,
    managed: CONTROLLER_MANAGER,
  },
  {
    owner: ['spec', 'kubernetes', 'scheduler'],
    args: (cluster) => cluster.kubernetes.scheduler.extraArgs,
    managed: SCHEDULER,
  },
  {
    owner: ['spec', 'kubernetes', 'kubelet'],
    args: (cluster) => cluster.kubernetes.kubelet.extraArgs,
    managed: KUBELET,
  },
  { owner: ['spec', 'etcd'], args: (cluster) => cluster.etcd.extraArgs, managed: ETCD },
];

/** Flags that would break what Kubewright promises are refused, with the key to use instead. */
export const checkExtraArgs: Check = (cluster, report) => {
  for (const { owner, args, managed } of COMPONENTS) {
    for (const { name } of args(cluster)) {
      if (name === undefined || !Object.hasOwn(managed, name)) continue;
      report.error(flagPath(owner, name, report), 'managed-flag', {
        message: `this flag is set by Kubewright: ${managed[name]}`,
        found: '',
        at: 'key',
      });
    }
    checkNumbersAsWritten(owner, report);
  }
  checkAnonymousAuth(cluster, report);
};

function checkAnonymousAuth(cluster: Sketch<Cluster>, report: Report): void {
  const args = cluster.kubernetes.apiServer.extraArgs;
  if (!args.some(({ name, value }) => name === 'anonymous-auth' && FALSE.includes(value ?? ''))) return;
  report.error(flagPath(['spec', 'kubernetes', 'apiServer'], 'anonymous-auth', report), 'anonymous-auth', {
    message:
      "HAProxy asks every API server's /readyz, and joining hosts read kube-public/cluster-info: both without a login",
    expected: 'security.anonymousAccess: health, with which only the paths of health checks answer',
  });
}

/** Where a flag stands: both ways of writing flags are possible. */
export function flagPath(owner: Path, name: string, report: Report): Path {
  const base = [...owner, 'extraArgs'];
  const written = valueAt(report.document.value, base);
  if (!Array.isArray(written)) return [...base, name];
  const index = written.findIndex((item) => valueAt(item, ['name']) === name);
  return [...base, index, 'name'];
}

/** `0640` is the number 640 to YAML, `1e3` is 1000: the component would get something else than what stands there. */
function checkNumbersAsWritten(owner: Path, report: Report): void {
  const base = [...owner, 'extraArgs'];
  const written = valueAt(report.document.value, base);
  const paths = Array.isArray(written)
    ? written.map((_, index) => [...base, index, 'value'])
    : Object.keys(typeof written === 'object' && written !== null ? written : {}).map((name) => [...base, name]);
  for (const path of paths) checkNumberAsWritten(path, report);
}

export function checkNumberAsWritten(path: Path, report: Report): void {
  const value = valueAt(report.document.value, path);
  const source = report.document.source(path);
  if (typeof value !== 'number' || source === undefined || source === String(value)) return;
  report.error(path, 'number-as-written', {
    message: `YAML reads ${source} as the number ${value}`,
    expected: `"${source}" in quotes, or ${value}`,
    found: source,
  });
}
