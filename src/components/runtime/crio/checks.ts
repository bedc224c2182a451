import type { Checked } from '../../../activities/prepare/checks/index.js';
import { isOurs } from '../../../activities/prepare/checks/ownership.js';
import { listed, type Problem } from '../../../activities/prepare/checks/problem.js';
import type { HostFacts } from '../../../activities/prepare/facts/index.js';
import { KubewrightError } from '../../../errors.js';
import { crioReleaseFor } from '../releases.js';
import { crioDirectory, versionOfProgram } from './paths.js';
import { renderCrioConfig } from './render/config.js';
import { settingsOf } from './settings.js';

/** Other runtimes, containers of others, pods under something else, a Kubernetes that no CRI-O goes with, and unwritable settings. */
export function checkCrio(checked: Checked): Problem[] {
  const { facts } = checked;
  // A host that bears any cluster's record has what a node has; whose it is, is judged by that record.
  const foreign = facts.owner === undefined ? [...checkRivals(facts), ...checkContainers(facts)] : [];
  return [...foreign, ...checkPods(checked), ...checkRelease(checked), ...checkConfig(checked)];
}

function checkRivals({ services }: HostFacts): Problem[] {
  const rivals = ['containerd', 'docker'].filter((rival) => services.some(({ name }) => name === rival));
  if (rivals.length === 0) return [];
  const what = `${listed(rivals)} ${rivals.length === 1 ? 'runs or starts' : 'run or start'} at boot, and a node has one container runtime`;
  return [
    {
      code: 'KW318',
      what,
      hint: `If nothing needs ${rivals.length === 1 ? 'it' : 'them'}, \`systemctl disable --now ${rivals.join(' ')}\`.`,
    },
  ];
}

const OWNERS: Readonly<Record<string, string>> = { docker: 'of Docker', podman: 'of Podman', crio: 'of CRI-O' };

function checkContainers({ containers }: HostFacts): Problem[] {
  const running = containers.filter(({ count }) => count > 0);
  if (running.length === 0) return [];
  const names = running.map(
    ({ namespace, count }) => `${count} ${OWNERS[namespace] ?? `in containerd's namespace ${namespace}`}`,
  );
  return [
    {
      code: 'KW318',
      what: `it has containers of somebody else: ${listed(names)}`,
      hint: 'A node shares its storage, its restarts and its disk with them. Move them to another host and remove them here (`crictl pods`, `podman ps -a`, `docker ps -a` and `ctr namespaces ls` show them).',
    },
  ];
}

/** On a host of this cluster, whose pods are ours: they run under what brought them up. */
function checkPods(checked: Checked): Problem[] {
  if (!isOurs(checked)) return [];
  const { containers, runtime } = checked.facts;
  const count = (name: string): number => containers.find(({ namespace }) => namespace === name)?.count ?? 0;
  if (count('k8s.io') > 0) {
    return [
      {
        code: 'KW340',
        what: 'its pods run under containerd, and runtime.type is crio',
        hint: 'An install never puts another runtime under pods that run. Set "runtime.type: containerd" in cluster.yaml, which keeps it. To change it, drain the node first and stop its kubelet and containers; then retry.',
      },
    ];
  }
  const { program } = runtime;
  if (count('crio') === 0 || program === '' || versionOfProgram(program) !== undefined) return [];
  return [
    {
      code: 'KW340',
      what: `its pods run under ${program}, which is not of a bundle`,
      hint: `An install never puts another CRI-O under pods that run. Drain the node, stop its kubelet and containers, and disable that crio.service; the bundle's is ${crioDirectory('VERSION')}/crio. Then retry.`,
    },
  ];
}

function checkRelease({ cluster }: Checked): Problem[] {
  const { version } = cluster.kubernetes;
  if (crioReleaseFor(version) !== undefined) return [];
  return [
    {
      code: 'KW319',
      what: `no release of CRI-O is known here that goes with Kubernetes ${version}`,
      hint: 'CRI-O has the minor of the Kubernetes that it serves: take one that docs/versions.md lists, or containerd.',
    },
  ];
}

/** `runtime.config` must be writable as TOML, which is known before anything is installed. */
function checkConfig({ cluster }: Checked): Problem[] {
  try {
    const { config: overrides } = settingsOf(cluster);
    renderCrioConfig({
      version: '1.34.0',
      pauseImage: 'pause',
      pinnedImages: [],
      hasPolicy: false,
      authFile: null,
      overrides,
    });
    return [];
  } catch (error) {
    if (!(error instanceof KubewrightError)) throw error;
    return [{ code: error.code, what: error.message, hint: error.hint ?? '' }];
  }
}
