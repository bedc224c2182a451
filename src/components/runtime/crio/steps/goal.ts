import { requireKnown } from '../../../../activities/answers.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { registryAuthorization } from '../../../../activities/registry-login.js';
import { digestOf, type Facts, SAYS_NO } from '../../../../activities/remote-facts.js';
import type { StepContext } from '../../../../activities/types.js';
import { type Bundle, checkImages, imagesFor, pauseImage } from '../../../../bundle/bundle.js';
import { type PlacedProgram, placeProgram, releaseOf } from '../../../../bundle/programs.js';
import { noProxyOf } from '../../../../cluster/direct-addresses.js';
import { isNode } from '../../../../cluster/roles.js';
import type { Cluster } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { imageQuery } from '../../../registry/work.js';
import { CRICTL_CONFIG_PATH, renderCrictlConfig } from '../../crictl.js';
import { renderRuntimeDropIn } from '../../drop-in.js';
import type { RegistryFiles } from '../../registry-files.js';
import {
  CRIO_CONFIG_PATH,
  CRIO_DROP_IN_PATH,
  CRIO_POLICY_PATH,
  CRIO_PROGRAMS,
  CRIO_SOCKET,
  CRIO_UNIT_PATH,
  SYSTEM_POLICY_PATH,
  versionOfProgram,
} from '../paths.js';
import { renderCrioConfig, renderPolicy } from '../render/config.js';
import { AUTH_PATH, REGISTRIES_PATH, registryFiles, renderRegistries } from '../render/registry.js';
import { renderCrioUnit, versionOfUnit } from '../render/unit.js';
import { settingsOf } from '../settings.js';

/** What shall be on a host, and what the running CRI-O shall have been started with. */
export interface Goal {
  version: string;
  /** Programs to bring from the bundle; none where an earlier bundle's stay. */
  programs: PlacedProgram[];
  /** Path → content. */
  files: Map<string, string>;
  /** SHA-256 that the drop-in records when CRI-O starts with all of this. */
  loaded: string;
  /** What it reads of a registry of the user's. */
  registry: RegistryFiles;
}

/**
 * @param facts of `GOAL_FACTS`
 * @throws KubewrightError KW456 where pods run under a CRI-O of somebody else, KW433 (transient) when the host does not tell
 */
export function goalOf(context: StepContext, bundle: Bundle, facts: Facts): Goal {
  const { cluster, host } = context;
  const kept = versionThatStays(facts, host.name);
  const version = kept ?? releaseOf(bundle, 'cri-o');
  const hasPolicy =
    requireKnown(facts.answer('policy', 'no policy'), 'whether it has a policy', host.name).is === 'yes';
  const config = renderCrioConfig({
    version,
    pauseImage: pauseImage(bundle).names[0] ?? '',
    pinnedImages: pinnedImages(context, bundle),
    hasPolicy,
    authFile: cluster.packages.registry?.loginEnv == null ? null : AUTH_PATH,
    overrides: settingsOf(cluster).config,
  });
  const read = new Map([
    [CRIO_UNIT_PATH, renderCrioUnit(version)],
    [CRIO_CONFIG_PATH, config],
    ...(hasPolicy ? [] : [[CRIO_POLICY_PATH, renderPolicy()] as const]),
    // CRI-O reads it when it starts.
    ...(cluster.packages.registry ? [[REGISTRIES_PATH, renderRegistries(cluster.packages.registry)] as const] : []),
  ]);
  const programs = kept === undefined ? CRIO_PROGRAMS.map((name) => placeProgram(bundle, name)) : [];
  return { version, programs, ...filesFor(context, read), registry: registryOf(cluster) };
}

/** @throws KubewrightError KW368 where its login is not in the worker's environment */
export function registryOf({ packages: { registry } }: Cluster): RegistryFiles {
  return registryFiles(registry, registry && registryAuthorization(registry));
}

/** Adds what is written beside these files, and tells what the running CRI-O shall have been started with. */
function filesFor({ cluster }: StepContext, read: Map<string, string>): Pick<Goal, 'files' | 'loaded'> {
  const { proxy: url } = cluster.packages;
  const proxy = url === null ? null : { url, except: noProxyOf(cluster) };
  const paths = [...read.keys(), ...(proxy === null ? [] : [CRIO_DROP_IN_PATH])] as [string, ...string[]];
  const dropIn = renderRuntimeDropIn('crio', paths, proxy);
  const files = new Map([...read, [CRIO_DROP_IN_PATH, dropIn], [CRICTL_CONFIG_PATH, renderCrictlConfig(CRIO_SOCKET)]]);
  return { files, loaded: digestOf(paths.map((path) => files.get(path) ?? '').join('')) };
}

/** What a bundle brings to the host, that of the checks too: no registry brings it back once it is deleted. */
function pinnedImages(context: StepContext, bundle: Bundle): string[] {
  const { role } = hostOf(context);
  const images = imagesFor(bundle, role, imageQuery(context.cluster));
  const all = isNode(role) ? [...images, ...checkImages(bundle)] : images;
  return [...new Set(all.flatMap(({ names }) => names))].sort();
}

/** An earlier bundle's CRI-O under which pods run: another one comes only with an upgrade, which drains the node. */
function versionThatStays(facts: Facts, host: string): string | undefined {
  const told = (name: string, what: string): string => {
    const known = requireKnown(facts.answer(name, `${what}: none`), what, host);
    return known.is === 'yes' ? known.value : '';
  };
  const pods = Number(told('pods', 'which pods run'));
  const program = told('program', 'which CRI-O runs');
  if (pods === 0) return undefined;
  // One that has ended leaves its pods running: then it is the one that its unit starts.
  const version = program === '' ? versionOfUnit(facts.text('unit')) : versionOfProgram(program);
  if (version !== undefined) return version;
  throw new KubewrightError(
    'KW456',
    `its pods run under ${program || 'a CRI-O that has ended'}, which is not of a bundle`,
    {
      host,
      hint: 'An install never puts another CRI-O under pods that run. Drain the node, stop its kubelet and containers, and disable that crio.service; then retry.',
    },
  );
}

/** Facts that `goalOf` reads: the program that runs, the containers below it, its unit, and whom the host trusts. */
export const GOAL_FACTS = `program() {
  local pid
  pid=$(systemctl show -p MainPID --value crio.service) || return 1
  [ "\${pid:-0}" -gt 0 ] || return ${SAYS_NO}
  readlink "/proc/$pid/exe"
}
pods() {
  local words first count=0
  for words in /proc/[0-9]*/cmdline; do
    IFS= read -r -d '' first <"$words" || continue
    [ "\${first##*/}" = conmon ] || continue
    if tr '\\0' ' ' <"$words" | grep -q /crio/exits; then count=$((count + 1)); fi
  done 2>/dev/null
  echo "$count"
}
ask program program &
ask pods pods &
ask policy exists ${SYSTEM_POLICY_PATH} &
fact unit cat ${CRIO_UNIT_PATH} &
`;
