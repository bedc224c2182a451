import type { Checked } from '../../../activities/prepare/checks/index.js';
import { isOurs } from '../../../activities/prepare/checks/ownership.js';
import { listed, type Problem } from '../../../activities/prepare/checks/problem.js';
import type { HostFacts } from '../../../activities/prepare/facts/index.js';
import { knownMinorOf } from '../../../cluster/minors.js';
import { compareVersions } from '../../../compare-versions.js';
import { KubewrightError } from '../../../errors.js';
import { familyOf } from '../../distribution/index.js';
import { renderContainerdConfig } from './render/config.js';
import { settingsOf } from './settings.js';
import { foreignRuntime } from './versions.js';

/** Another runtime, containers of others, a containerd that is too old, and settings that it could not read. */
export function checkRuntime(checked: Checked): Problem[] {
  const { facts } = checked;
  // A host that bears any cluster's record has what a node has; whose it is, is judged by that record.
  const foreign = facts.owner === undefined ? [...checkRivals(facts), ...checkContainers(facts)] : [];
  const { source } = settingsOf(checked.cluster);
  const versions = source === 'distribution' ? checkContainerd(checked) : [];
  return [...foreign, ...checkSource(checked), ...versions, ...checkRuntimeConfig(checked)];
}

function checkRivals({ services }: HostFacts): Problem[] {
  if (!services.some(({ name }) => name === 'crio')) return [];
  const what = 'CRI-O runs or starts at boot, and a node has one container runtime';
  return [{ code: 'KW318', what, hint: 'If nothing needs it, `systemctl disable --now crio`.' }];
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

/** On a host of this cluster, whose containers are ours: they run under what brought them up. */
function checkSource(checked: Checked): Problem[] {
  if (!isOurs(checked)) return [];
  const { runtime, containers } = checked.facts;
  const pods = containers.find(({ namespace }) => namespace === 'k8s.io')?.count ?? 0;
  const other = foreignRuntime(settingsOf(checked.cluster).source, { program: runtime.program, pods });
  return other === undefined ? [] : [{ code: 'KW340', ...other }];
}

function checkContainerd(checked: Checked): Problem[] {
  const { facts, cluster } = checked;
  const { state, version } = facts.runtime;
  const oldest = knownMinorOf(cluster.kubernetes.version).oldestContainerd;
  if (version === undefined) {
    if (state === 'installed' || isOurs(checked)) return [];
    const what = 'it is not known yet which containerd its packages bring';
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

/** `runtime.config` must be writable as TOML, which is known before anything is installed. */
function checkRuntimeConfig({ cluster }: Checked): Problem[] {
  try {
    for (const version of ['1.6.0', '2.1.0']) {
      renderContainerdConfig({ version, pauseImage: 'pause', overrides: settingsOf(cluster).config });
    }
    return [];
  } catch (error) {
    if (!(error instanceof KubewrightError)) throw error;
    return [{ code: error.code, what: error.message, hint: error.hint ?? '' }];
  }
}
