import { requireKnown } from '../../../../activities/answers.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { type Facts, gatherFacts, SAYS_NO } from '../../../../activities/remote-facts.js';
import type { StepContext } from '../../../../activities/types.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';
import { loadedConfigPath } from '../../../../render/loaded-config.js';
import { CHECK_SCRIPT_PATH } from '../render/keepalived.js';
import { CONFIG_PATHS, type LoadBalancerFile, loadBalancerFiles, SERVICES, type Service, sha256 } from './files.js';

export interface ServiceState {
  active: boolean;
  /** Whether it is started at boot. */
  enabled: boolean;
  /** Whether what runs has read exactly our configuration. */
  loaded: boolean;
}

export interface LoadBalancerState {
  networkInterface: string;
  files: LoadBalancerFile[];
  /** Those that are missing or differ. */
  stale: LoadBalancerFile[];
  services: Record<Service, ServiceState>;
  /** Whether HAProxy answers on its monitor port. */
  answers: boolean;
}

/** @throws KubewrightError KW461 when no network card of the host carries its address, KW433 (transient) when that cannot be told */
export async function lookAtLoadBalancer(context: StepContext): Promise<LoadBalancerState> {
  const host = hostOf(context);
  const facts = await gatherFacts(context.host, factsScript(context, host), context.signal);
  const networkInterface = context.cluster.endpoint.interface ?? cardOf(facts, host);
  const files = loadBalancerFiles(context.cluster, host, networkInterface);
  const expected = new Map(files.map(({ path, content }) => [path, sha256(content)]));
  const serviceState = (service: Service): ServiceState => ({
    active: facts.text(`${service}-active`) === 'active',
    enabled: facts.text(`${service}-enabled`) === 'enabled',
    loaded: facts.text(`${service}-loaded`).slice(0, 64) === expected.get(CONFIG_PATHS[service]),
  });
  return {
    networkInterface,
    files,
    stale: files.filter(({ path }) => facts.text(`file:${path}`) !== expected.get(path)),
    services: { haproxy: serviceState('haproxy'), keepalived: serviceState('keepalived') },
    answers: facts.holds('answers'),
  };
}

function cardOf(facts: Facts, host: ClusterHost): string {
  const card = facts.answer('interface', `no network card of ${host.name} carries ${host.address}`);
  const known = requireKnown(card, `which network card carries ${host.address}`, host.name);
  if (known.is === 'no' || known.value === '') throw noInterface(host);
  return known.value;
}

function factsScript(context: StepContext, host: ClusterHost): string {
  // The names of the files do not depend on the card.
  const paths = loadBalancerFiles(context.cluster, host, '').map(({ path }) => path);
  const services = SERVICES.map(
    (service) => `fact ${service}-active systemctl is-active ${service}
fact ${service}-enabled systemctl is-enabled ${service}
fact ${service}-loaded cat ${loadedConfigPath(service)}`,
  );
  return `card() {
  local said name
  said=$(ip -o -4 address show to "$1") || return 1
  [ -n "$said" ] || return ${SAYS_NO}
  read -r _ name _ <<<"$said" && echo "$name"
}
ask interface card ${quote(host.address)}
${paths.map((path) => `fact file:${path} digest ${quote(path)}`).join('\n')}
${services.join('\n')}
fact answers ${CHECK_SCRIPT_PATH} alive`;
}

function noInterface(host: ClusterHost): KubewrightError {
  return new KubewrightError('KW461', `no network card of the host carries ${host.address}`, {
    host: host.name,
    hint: `Set the host's address in cluster.yaml to one that \`ip -4 address\` shows there, or endpoint.interface to the card's name.`,
  });
}
