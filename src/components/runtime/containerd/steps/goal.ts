import { digestOf, type Facts } from '../../../../activities/remote-facts.js';
import type { StepContext } from '../../../../activities/types.js';
import { type Bundle, pauseImage } from '../../../../bundle/bundle.js';
import { type PlacedProgram, placeProgram, releaseOf } from '../../../../bundle/programs.js';
import { KubewrightError } from '../../../../errors.js';
import {
  CONTAINERD_CONFIG_PATH,
  CONTAINERD_DROP_IN_PATH,
  CONTAINERD_UNIT_PATH,
  CRICTL_CONFIG_PATH,
  type RuntimeVersions,
  versionOfProgram,
} from '../paths.js';
import { renderContainerdConfig, renderContainerdDropIn, renderCrictlConfig } from '../render/config.js';
import { renderContainerdUnit, versionsOfUnit } from '../render/unit.js';
import { settingsOf } from '../settings.js';
import { foreignRuntime } from '../versions.js';

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
}

/**
 * @param facts of `GOAL_FACTS`
 * @throws KubewrightError KW456 where pods run under a containerd of another source, KW449 where it does not tell its version
 */
export function goalOf(context: StepContext, bundle: Bundle, facts: Facts): Goal {
  const { cluster, host } = context;
  const { source, config: overrides } = settingsOf(cluster);
  const foreign = foreignRuntime(source, { program: facts.text('program'), pods: Number(facts.text('pods')) || 0 });
  if (foreign !== undefined) throw new KubewrightError('KW456', foreign.what, { host: host.name, hint: foreign.hint });
  const pause = pauseImage(bundle).names[0] ?? '';
  const config = (version: string) => renderContainerdConfig({ version, pauseImage: pause, overrides });
  if (source === 'bundle') return bundleGoal(bundle, facts, config);
  const version = versionOf(facts.text('version'), host.name);
  const files = new Map([
    [CONTAINERD_CONFIG_PATH, config(version)],
    [CONTAINERD_DROP_IN_PATH, renderContainerdDropIn(CONTAINERD_CONFIG_PATH)],
    [CRICTL_CONFIG_PATH, renderCrictlConfig()],
  ]);
  const loaded = digestOf(files.get(CONTAINERD_CONFIG_PATH) ?? '');
  const removesUnit = versionsOfUnit(facts.text('unit')) !== undefined;
  return { version, programs: [], files, loaded, removesUnit };
}

function bundleGoal(bundle: Bundle, facts: Facts, config: (version: string) => string): Goal {
  const kept = versionsThatStay(facts);
  const versions = kept ?? { containerd: releaseOf(bundle, 'containerd'), runc: releaseOf(bundle, 'runc') };
  const unit = renderContainerdUnit(versions);
  const content = config(versions.containerd);
  const files = new Map([
    [CONTAINERD_UNIT_PATH, unit],
    [CONTAINERD_CONFIG_PATH, content],
    [CONTAINERD_DROP_IN_PATH, renderContainerdDropIn(CONTAINERD_UNIT_PATH, CONTAINERD_CONFIG_PATH)],
    [CRICTL_CONFIG_PATH, renderCrictlConfig()],
  ]);
  const programs = kept === undefined ? PROGRAMS.map((name) => placeProgram(bundle, name)) : [];
  return { version: versions.containerd, programs, files, loaded: digestOf(unit + content), removesUnit: false };
}

/** An earlier bundle's containerd under which pods run: another one comes only with an upgrade, which drains the node. */
function versionsThatStay(facts: Facts): RuntimeVersions | undefined {
  const pods = Number(facts.text('pods')) || 0;
  const running = versionOfProgram(facts.text('program'));
  const versions = versionsOfUnit(facts.text('unit'));
  return pods > 0 && running !== undefined && running === versions?.containerd ? versions : undefined;
}

/** Facts that `goalOf` reads: the program that runs, the pods below it, and the unit that it was started by. */
export const GOAL_FACTS = `program() { pid=$(systemctl show -p MainPID --value containerd.service) && [ "\${pid:-0}" -gt 0 ] && readlink "/proc/$pid/exe"; }
pods() { find /run/containerd/io.containerd.runtime.v2.task/k8s.io -mindepth 1 -maxdepth 1 -type d | wc -l; }
fact program program &
fact pods pods &
fact unit cat ${CONTAINERD_UNIT_PATH} &
fact version containerd --version &
`;

/** `containerd containerd.io 1.7.27 …` or `containerd github.com/containerd/containerd 1.6.20~ds1 …`. */
function versionOf(text: string, host: string): string {
  const version = /\b(\d+\.\d+\.\d+\S*)/.exec(text)?.[1];
  if (version !== undefined) return version;
  throw new KubewrightError('KW449', `containerd does not tell its version${text ? ` ("${text}")` : ''}`, {
    host,
    hint: 'Run `containerd --version` on the host; where it is missing, retry the step that installs the packages.',
  });
}
