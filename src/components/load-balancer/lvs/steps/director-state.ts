import { basename } from 'node:path/posix';
import { requireKnown } from '../../../../activities/answers.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { linkFacts, linkPath, staleLinks } from '../../../../activities/program-links.js';
import { digestOf, type Facts, gatherFacts, SAYS_NO } from '../../../../activities/remote-facts.js';
import type { StepContext } from '../../../../activities/types.js';
import type { PlacedProgram } from '../../../../bundle/programs.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import { quote } from '../../../../hosts/shell.js';
import type { Upload } from '../../../../hosts/types.js';
import { loadedConfigPath } from '../../../../render/loaded-config.js';
import { PROGRAM_ROOT } from '../../../../render/program-paths.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { isOurUnit, unitPath } from '../../vrrp/render/units.js';
import { cardIn, cardQuestion } from '../../vrrp/steps/card.js';
import { type BundledPrograms, programsOfBundle } from '../../vrrp/steps/programs.js';
import { isFromBundle } from '../settings.js';
import { configIn, type DirectorFile, directorFiles } from './director-files.js';

export interface DirectorState {
  files: DirectorFile[];
  /** Those that are missing or differ. */
  stale: DirectorFile[];
  active: boolean;
  /** Whether it is started at boot. */
  enabled: boolean;
  /** Whether what runs has read exactly our configuration. */
  loaded: boolean;
  /** Path of a program that runs and is not the one that shall. */
  wrongProgram: string | undefined;
  /** Undefined where keepalived is the distribution's. */
  programs: BundledPrograms | undefined;
  /** Files of the bundle that are not on the host. */
  missing: Upload[];
  /** Programs whose name on PATH is missing, or leads to another release. */
  unlinked: readonly PlacedProgram[];
  /** Whether a unit of Kubewright's stands before the distribution's. */
  unwantedUnit: boolean;
}

/**
 * @throws KubewrightError KW461 when no network card of the host carries its address, KW433 (transient) when the host does
 * not tell what decides, KW733 when the bundle has no load balancer
 */
export async function lookAtDirector(context: StepContext): Promise<DirectorState> {
  const { cluster, signal } = context;
  const host = hostOf(context);
  const programs = isFromBundle(cluster) ? await programsOfBundle(context, ['keepalived']) : undefined;
  const facts = await gatherFacts(context.host, factsScript(context, host, programs), signal);
  const files = directorFiles(cluster, host, virtualIpOf(cluster).interface ?? cardIn(facts, host), programs?.release);
  const active = facts.text('active') === 'active';
  return {
    files,
    stale: files.filter(({ path, content }) => facts.text(fileFact(path)) !== digestOf(content)),
    active,
    enabled: facts.text('enabled') === 'enabled',
    loaded: facts.text('loaded').slice(0, 64) === digestOf(configIn(files)),
    wrongProgram: active ? wrongProgramOf(facts, programs, host) : undefined,
    programs,
    missing: programs === undefined ? [] : await context.host.missingUploads(programs.uploads, { signal }),
    unlinked: staleLinks(programs?.linked ?? [], facts),
    unwantedUnit: programs === undefined && isOurUnit(facts.text('unit')),
  };
}

/** A restart gives the virtual IP away, so it takes an answer: a question that fails is none. */
function wrongProgramOf(facts: Facts, programs: BundledPrograms | undefined, host: ClusterHost): string | undefined {
  const answer = facts.answer('program', 'keepalived does not run');
  const program = requireKnown(answer, 'which keepalived runs', host.name);
  if (program.is === 'no') return undefined;
  const isRight =
    programs === undefined
      ? !program.value.startsWith(`${PROGRAM_ROOT}/`)
      : program.value === `${programs.release}/keepalived`;
  return isRight ? undefined : program.value;
}

function factsScript({ cluster }: StepContext, host: ClusterHost, programs: BundledPrograms | undefined): string {
  // The names of the files do not depend on the card.
  const files = directorFiles(cluster, host, '', programs?.release);
  return `${cardQuestion(host)}program() {
  local pid
  pid=$(systemctl show -p MainPID --value keepalived.service) || return 1
  [ "\${pid:-0}" -gt 0 ] || return ${SAYS_NO}
  readlink "/proc/$pid/exe"
}
${files.map(({ path }) => `fact ${fileFact(path)} digest ${quote(path)}`).join('\n')}
fact active systemctl is-active keepalived
fact enabled systemctl is-enabled keepalived
fact loaded cat ${loadedConfigPath('keepalived')}
ask program program
fact unit head -n 1 ${unitPath('keepalived')}
${linkFacts(programs?.linked ?? [])}`;
}

function fileFact(path: string): string {
  return `file:${basename(path)}`;
}

/** What is to be done before keepalived can be started, one line each. */
export function preparations({ programs, missing, unlinked, unwantedUnit, stale }: DirectorState): string[] {
  return [
    ...(programs !== undefined && missing.length > 0 ? [`upload keepalived to ${programs.release}`] : []),
    ...unlinked.map((program) => `link ${linkPath(program)} to ${program.target}`),
    ...(unwantedUnit ? [`remove ${unitPath('keepalived')}`] : []),
    ...stale.map(({ path }) => `write ${path}`),
  ];
}

/** What becomes of the service, one line each. */
export function serviceChanges({ active, enabled, loaded, wrongProgram }: DirectorState): string[] {
  const changes = enabled ? [] : ['start keepalived at boot'];
  if (!active) return [...changes, 'start keepalived'];
  if (wrongProgram !== undefined) return [...changes, `restart keepalived, which is ${wrongProgram}`];
  return loaded ? changes : [...changes, 'reload keepalived'];
}
