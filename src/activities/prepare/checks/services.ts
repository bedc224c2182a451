import { compareVersions } from '../../../compare-versions.js';
import { familyOf } from '../../../components/distribution/index.js';
import { HAPROXY_CONFIG_PATH } from '../../../components/load-balancer/haproxy-keepalived/render/haproxy.js';
import { KEEPALIVED_CONFIG_PATH } from '../../../components/load-balancer/haproxy-keepalived/render/keepalived.js';
import { CONTAINERD_CONFIG_PATH, CRICTL_CONFIG_PATH } from '../../../components/runtime/containerd/render/config.js';
import { oldestContainerd } from '../../../components/runtime/containerd/versions.js';
import type { HostFacts } from '../facts/index.js';
import type { Checked } from './index.js';
import { isOurs } from './ownership.js';
import { listed, type Problem } from './problem.js';

/** Services that the host has for other ends, files of others that would be replaced, and the version of containerd. */
export function checkServices(checked: Checked): Problem[] {
  // A host that bears any cluster's record has what a node has; whose it is, is judged by that record.
  const foreign = checked.facts.owner === undefined ? [...checkInUse(checked), ...checkReplaced(checked)] : [];
  return [...foreign, ...checkContainerd(checked)];
}

/** Each service of ours and the file that is its configuration. */
const CONFIGURATIONS: [service: string, path: string, way: string][] = [
  ['haproxy', HAPROXY_CONFIG_PATH, 'Move what it serves to another host'],
  ['keepalived', KEEPALIVED_CONFIG_PATH, 'Move its addresses to other hosts'],
  [
    'containerd',
    CONTAINERD_CONFIG_PATH,
    'What has to stay of its configuration goes into runtime.config of cluster.yaml',
  ],
];

function checkInUse({ facts, host }: Checked): Problem[] {
  const foreign = (path: string) => facts.files.some((file) => file.path === path && file.state === 'foreign');
  const runs = (name: string) => facts.services.find((service) => service.name === name);
  const problems = CONFIGURATIONS.filter(([name]) => host.role === 'control-plane' || name === 'containerd').flatMap(
    ([name, path, way]): Problem[] => {
      const service = runs(name);
      if (service === undefined || !foreign(path)) return [];
      const what = `${name} ${service.active ? 'runs' : 'starts at boot'} with a configuration of somebody else, ${path}`;
      const hint = `${way}; or, if nothing needs it any more, \`systemctl disable --now ${name}\`.`;
      return [{ code: 'KW318', what, hint }];
    },
  );
  if (runs('crio') !== undefined) {
    const what = 'CRI-O runs or starts at boot, and a node has one container runtime';
    problems.push({ code: 'KW318', what, hint: 'If nothing needs it, `systemctl disable --now crio`.' });
  }
  return [...problems, ...checkContainers(facts)];
}

function checkContainers({ containers }: HostFacts): Problem[] {
  const running = containers.filter(({ count }) => count > 0);
  if (running.length === 0) return [];
  const names = running.map(({ namespace, count }) =>
    namespace === 'docker' ? `${count} of Docker` : `${count} in containerd's namespace ${namespace}`,
  );
  return [
    {
      code: 'KW318',
      what: `it has containers of somebody else: ${listed(names)}`,
      hint: 'A node shares containerd, its restarts and its disk with them. Move them to another host and remove them here (`docker ps -a`, `ctr namespaces ls` and `ctr -n NAMESPACE tasks ls` show them).',
    },
  ];
}

/** Nothing of others is lost, and nobody should have to find that out afterwards. */
function checkReplaced({ facts, host }: Checked): Problem[] {
  const ours = host.role === 'control-plane' ? undefined : [CONTAINERD_CONFIG_PATH, CRICTL_CONFIG_PATH];
  const paths = facts.files.filter(({ path, state }) => state === 'foreign' && (ours?.includes(path) ?? true));
  if (paths.length === 0) return [];
  return [
    {
      code: 'KW344',
      what: `${listed(paths.map(({ path }) => path))} will be replaced, and Kubewright did not write it`,
      hint: 'The file as it is stays beside it, as NAME.kubewright-backup-TIME.',
      severity: 'warning',
    },
  ];
}

function checkContainerd(checked: Checked): Problem[] {
  const { facts, cluster } = checked;
  const { state, version } = facts.containerd;
  const oldest = oldestContainerd(cluster.kubernetes.version);
  if (version === undefined) {
    if (state === 'installed' || isOurs(checked)) return [];
    const what = 'it has no package lists yet, so which containerd it gets is unknown';
    const hint = `Kubernetes ${cluster.kubernetes.version} needs ${oldest} or newer; the step packages checks it.`;
    return [{ code: 'KW319', what, hint, severity: 'warning' }];
  }
  if (compareVersions(version, oldest) >= 0) return [];
  const what = `its containerd ${state === 'installed' ? 'is' : 'would be'} ${version}, and Kubernetes ${cluster.kubernetes.version} needs ${oldest} or newer`;
  const hint =
    state === 'installed'
      ? `Upgrade the package that it came from (\`${familyOf(facts.os).upgradeCommand(['containerd'])}\`); containers run on meanwhile.`
      : "Use a newer release of the distribution, or install containerd.io of Docker's repository, which is kept.";
  return [{ code: 'KW319', what, hint }];
}
