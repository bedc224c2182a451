import { requireKnown } from '../../../../activities/answers.js';
import { registryAuthorization } from '../../../../activities/registry-login.js';
import { digestOf, type Facts, SAYS_NO } from '../../../../activities/remote-facts.js';
import type { StepContext } from '../../../../activities/types.js';
import type { Bundle } from '../../../../bundle/bundle.js';
import { type PlacedProgram, placeProgram, releaseOf } from '../../../../bundle/programs.js';
import { noProxyOf } from '../../../../cluster/direct-addresses.js';
import type { Cluster } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { CRICTL_CONFIG_PATH, renderCrictlConfig } from '../../crictl.js';
import { renderRuntimeDropIn } from '../../drop-in.js';
import type { RegistryFiles } from '../../registry-files.js';
import {
  CONTAINERD_CONFIG_PATH,
  CONTAINERD_DROP_IN_PATH,
  CONTAINERD_SOCKET,
  CONTAINERD_UNIT_PATH,
  programOf,
  type RuntimeVersions,
  versionOfProgram,
} from '../paths.js';
import { renderContainerdConfig } from '../render/config.js';
import { HOSTS_DIRECTORY, registryFiles } from '../render/hosts.js';
import { renderContainerdUnit, versionsOfUnit } from '../render/unit.js';
import { settingsOf } from '../settings.js';
import { foreignRuntime, type RunningRuntime } from '../versions.js';

/** What a node's runtime consists of. */
export const PROGRAMS = ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc'] as const;

/** What shall be on a host, and what the running containerd shall have been started with. */
export interface Goal {
  version: string;
  /** Programs to bring from the bundle; none where they are the distribution's, or an earlier bundle's that stays. */
  programs: PlacedProgram[];
  /** Path → content. */
  files: Map<string, string>;
  /** SHA-256 that the drop-in records when containerd starts with all of this. */
  loaded: string;
  /** A unit of Kubewright's that has to go, for it stands before the distribution's. */
  removesUnit: boolean;
  /** What it reads at each pull of a registry of the user's. */
  registry: RegistryFiles;
}

/** What containerd is made of. */
export interface Ingredients {
  /** Full name of the image that holds pods' namespaces. */
  pauseImage: string;
  /** What its programs are from; undefined where they are the distribution's. */
  bundle: Bundle | undefined;
}

/**
 * @param facts of `GOAL_FACTS`
 * @throws KubewrightError KW456 where pods run under a containerd of another source, KW449 where it does not tell its version
 */
export function goalOf(context: StepContext, { pauseImage, bundle }: Ingredients, facts: Facts): Goal {
  const { cluster, host } = context;
  const { source, config: overrides } = settingsOf(cluster);
  const running = runningOf(facts, host.name);
  const foreign = foreignRuntime(source, running);
  if (foreign !== undefined) throw new KubewrightError('KW456', foreign.what, { host: host.name, hint: foreign.hint });
  const hostsDirectory = cluster.packages.registry === undefined ? undefined : HOSTS_DIRECTORY;
  const config = (version: string) => renderContainerdConfig({ version, pauseImage, hostsDirectory, overrides });
  const registry = registryOf(cluster);
  if (bundle !== undefined) return { ...bundleGoal(context.cluster, bundle, running, facts, config), registry };
  const version = versionOf(facts.text('version'), host.name);
  const { files, loaded } = filesFor(cluster, new Map([[CONTAINERD_CONFIG_PATH, config(version)]]));
  const removesUnit = versionsOfUnit(facts.text('unit')) !== undefined;
  return { version, programs: [], files, loaded, removesUnit, registry };
}

/** @throws KubewrightError KW368 where its login is not in the worker's environment */
export function registryOf({ packages: { registry } }: Cluster): RegistryFiles {
  return registryFiles(registry, registry && registryAuthorization(registry));
}

/**
 * Adds what is written beside these files, and tells what the running containerd shall have been started with: these, and
 * the drop-in where that gives it a proxy.
 */
function filesFor(cluster: Cluster, read: Map<string, string>): Pick<Goal, 'files' | 'loaded'> {
  const { proxy: url } = cluster.packages;
  const proxy = url === null ? null : { url, except: noProxyOf(cluster) };
  const paths = [...read.keys(), ...(proxy === null ? [] : [CONTAINERD_DROP_IN_PATH])] as [string, ...string[]];
  const dropIn = renderRuntimeDropIn('containerd', paths, proxy);
  const files = new Map([
    ...read,
    [CONTAINERD_DROP_IN_PATH, dropIn],
    [CRICTL_CONFIG_PATH, renderCrictlConfig(CONTAINERD_SOCKET)],
  ]);
  return { files, loaded: digestOf(paths.map((path) => files.get(path) ?? '').join('')) };
}

function bundleGoal(
  cluster: Cluster,
  bundle: Bundle,
  running: RunningRuntime,
  facts: Facts,
  config: (version: string) => string,
): Omit<Goal, 'registry'> {
  const kept = versionsThatStay(running, facts);
  const versions = kept ?? { containerd: releaseOf(bundle, 'containerd'), runc: releaseOf(bundle, 'runc') };
  const unit = renderContainerdUnit(versions);
  const content = config(versions.containerd);
  const read = new Map([
    [CONTAINERD_UNIT_PATH, unit],
    [CONTAINERD_CONFIG_PATH, content],
  ]);
  const programs = kept === undefined ? PROGRAMS.map((name) => placeProgram(bundle, name)) : [];
  return { version: versions.containerd, programs, ...filesFor(cluster, read), removesUnit: false };
}

/** An earlier bundle's containerd under which pods run: another one comes only with an upgrade, which drains the node. */
function versionsThatStay({ program, pods }: RunningRuntime, facts: Facts): RuntimeVersions | undefined {
  const versions = versionsOfUnit(facts.text('unit'));
  return pods > 0 && versions !== undefined && versionOfProgram(program) === versions.containerd ? versions : undefined;
}

/**
 * What a later step might be put under, so a question that fails is no "nothing". A containerd that does not run leaves its pods
 * running: then it is the one that its unit starts.
 *
 * @throws KubewrightError KW433 (transient) when the host does not tell
 */
function runningOf(facts: Facts, host: string): RunningRuntime {
  const told = (name: string, what: string) => {
    const known = requireKnown(facts.answer(name, `${what}: none`), what, host);
    return known.is === 'yes' ? known.value : '';
  };
  const pods = Number(told('pods', 'which pods run'));
  const program = told('program', 'which containerd runs');
  if (program !== '') return { program, pods };
  const versions = versionsOfUnit(facts.text('unit'));
  return { program: versions === undefined ? 'a containerd that has ended' : programOf(versions), pods };
}

/** One folder for each container of the kubelet, also while containerd does not run. */
const TASKS = '/run/containerd/io.containerd.runtime.v2.task/k8s.io';

/** Facts that `goalOf` reads: the program that runs, the pods below it, and the unit that it was started by. */
export const GOAL_FACTS = `program() {
  local pid
  pid=$(systemctl show -p MainPID --value containerd.service) || return 1
  [ "\${pid:-0}" -gt 0 ] || return ${SAYS_NO}
  readlink "/proc/$pid/exe"
}
pods() {
  local found
  [ -d ${TASKS} ] || return ${SAYS_NO}
  found=$(find ${TASKS} -mindepth 1 -maxdepth 1 -type d) || return 1
  grep -c . <<<"$found" || true
}
ask program program &
ask pods pods &
fact unit cat ${CONTAINERD_UNIT_PATH} &
fact version containerd --version &
`;

/** `containerd containerd.io 1.7.27 …`, `containerd github.com/containerd/containerd 1.6.20~ds1 …` or `… containerd/v2 v2.3.7`. */
function versionOf(text: string, host: string): string {
  const version = /(?<![\w.])v?(\d+\.\d+\.\d+\S*)/.exec(text)?.[1];
  if (version !== undefined) return version;
  throw new KubewrightError('KW449', `containerd does not tell its version${text ? ` ("${text}")` : ''}`, {
    host,
    hint: 'Run `containerd --version` on the host; where it is missing, retry the step that installs the packages.',
  });
}
