import { requireKnown } from '../../../../activities/answers.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { linkFacts, linkPath, staleLinks } from '../../../../activities/program-links.js';
import { type Facts, gatherFacts, SAYS_NO } from '../../../../activities/remote-facts.js';
import type { StepContext } from '../../../../activities/types.js';
import type { PlacedProgram } from '../../../../bundle/programs.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import { quote } from '../../../../hosts/shell.js';
import type { Upload } from '../../../../hosts/types.js';
import { loadedConfigPath } from '../../../../render/loaded-config.js';
import { PROGRAM_ROOT } from '../../../../render/program-paths.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { notifierFiles } from '../../vrrp/notify/steps/files.js';
import { NOTIFIER_FACTS, type NotifierState, notifierState } from '../../vrrp/notify/steps/state.js';
import { cardIn, cardQuestion } from '../../vrrp/steps/card.js';
import { CHECK_SCRIPT_PATH } from '../render/keepalived.js';
import { ACCOUNT, isOurUnit, type Service, unitPath } from '../render/units.js';
import { CONFIG_PATHS, type LoadBalancerFile, loadBalancerFiles, SERVICES, sha256 } from './files.js';
import { type BundledPrograms, bundledPrograms, commandOf } from './programs.js';

export interface ServiceState {
  active: boolean;
  /** Whether it is started at boot. */
  enabled: boolean;
  /** Whether what runs has read exactly our configuration. */
  loaded: boolean;
  /** Path of a program that runs and is not the one that shall. */
  wrongProgram: string | undefined;
}

export interface LoadBalancerState {
  files: LoadBalancerFile[];
  /** Those that are missing or differ. */
  stale: LoadBalancerFile[];
  services: Record<Service, ServiceState>;
  /** Whether HAProxy answers on its monitor port. */
  answers: boolean;
  /** Undefined where the programs are the distribution's. */
  programs: BundledPrograms | undefined;
  /** Files of the bundle that are not on the host. */
  missing: Upload[];
  /** Programs whose name on PATH is missing, or leads to another release. */
  unlinked: readonly PlacedProgram[];
  /** Whether HAProxy's account is to be made. */
  lacksAccount: boolean;
  /** Units of Kubewright's that have to go, for they stand before the distribution's. */
  unwantedUnits: string[];
  /** Of the program that tells of changes of the virtual IP. */
  notifier: NotifierState;
}

/**
 * @throws KubewrightError KW461 when no network card of the host carries its address, KW433 (transient) when the host does
 * not tell what decides, KW733 when the bundle has no load balancer, KW458 and KW459 as `notifierFiles`
 */
export async function lookAtLoadBalancer(context: StepContext): Promise<LoadBalancerState> {
  const host = hostOf(context);
  const programs = await bundledPrograms(context);
  const facts = await gatherFacts(context.host, factsScript(context, host, programs), context.signal);
  const networkInterface = virtualIpOf(context.cluster).interface ?? cardIn(facts, host);
  const files = loadBalancerFiles(context.cluster, host, networkInterface, programs?.release);
  const expected = new Map(files.map(({ path, content }) => [path, sha256(content)]));
  const serviceState = (service: Service): ServiceState => {
    const active = facts.text(`${service}-active`) === 'active';
    return {
      active,
      enabled: facts.text(`${service}-enabled`) === 'enabled',
      loaded: facts.text(`${service}-loaded`).slice(0, 64) === expected.get(CONFIG_PATHS[service]),
      wrongProgram: active ? wrongProgramOf(facts, service, programs, host) : undefined,
    };
  };
  const { signal } = context;
  return {
    files,
    stale: files.filter(({ path }) => facts.text(`file:${path}`) !== expected.get(path)),
    services: { haproxy: serviceState('haproxy'), keepalived: serviceState('keepalived') },
    answers: facts.holds('answers'),
    programs,
    missing: programs === undefined ? [] : await context.host.missingUploads(programs.uploads, { signal }),
    unlinked: staleLinks(programs?.linked ?? [], facts),
    lacksAccount: programs !== undefined && !facts.holds('account'),
    unwantedUnits: programs === undefined ? ourUnits(facts) : [],
    notifier: notifierState(facts, notifierFiles(context, host)),
  };
}

/** A restart moves the virtual IP or ends connections, so it takes an answer: a question that fails is none. */
function wrongProgramOf(
  facts: Facts,
  service: Service,
  programs: BundledPrograms | undefined,
  host: ClusterHost,
): string | undefined {
  const question = `which ${service} runs`;
  const program = requireKnown(facts.answer(`${service}-program`, `${service} does not run`), question, host.name);
  if (program.is === 'no') return undefined;
  const isRight =
    programs === undefined
      ? !program.value.startsWith(`${PROGRAM_ROOT}/`)
      : program.value === commandOf(service, programs);
  return isRight ? undefined : program.value;
}

function ourUnits(facts: Facts): string[] {
  return SERVICES.map(unitPath).filter((path) => isOurUnit(facts.text(`unit:${path}`)));
}

function factsScript(context: StepContext, host: ClusterHost, programs: BundledPrograms | undefined): string {
  // The names of the files do not depend on the card.
  const paths = loadBalancerFiles(context.cluster, host, '', programs?.release).map(({ path }) => path);
  const services = SERVICES.map(
    (service) => `fact ${service}-active systemctl is-active ${service}
fact ${service}-enabled systemctl is-enabled ${service}
fact ${service}-loaded cat ${loadedConfigPath(service)}
ask ${service}-program program ${service}
fact unit:${unitPath(service)} head -n 1 ${unitPath(service)}`,
  );
  return `${cardQuestion(host)}program() {
  local pid
  pid=$(systemctl show -p MainPID --value "$1.service") || return 1
  [ "\${pid:-0}" -gt 0 ] || return ${SAYS_NO}
  readlink "/proc/$pid/exe"
}
${paths.map((path) => `fact file:${path} digest ${quote(path)}`).join('\n')}
${services.join('\n')}
${linkFacts(programs?.linked ?? [])}${NOTIFIER_FACTS}fact account getent passwd ${ACCOUNT}
fact answers ${CHECK_SCRIPT_PATH} alive`;
}

/** What a change of the programs comes to, one line each. */
export function programChanges(state: LoadBalancerState): string[] {
  const { programs, missing, unlinked, lacksAccount, unwantedUnits } = state;
  return [
    ...(programs !== undefined && missing.length > 0 ? [`upload HAProxy and keepalived to ${programs.release}`] : []),
    ...unlinked.map((program) => `link ${linkPath(program)} to ${program.target}`),
    ...(lacksAccount ? [`create the account ${ACCOUNT}`] : []),
    ...unwantedUnits.map((path) => `remove ${path}`),
  ];
}
