import { inTurn } from '../../../../activities/in-turn.js';
import { linkPrograms } from '../../../../activities/program-links.js';
import type { Probe, StepContext, StepImplementation } from '../../../../activities/types.js';
import { isKubewrightError, KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';
import { endpointOf } from '../../../../render/kubeadm.js';
import { NOTIFIER_SERVICE } from '../../vrrp/notify/places.js';
import { notifierChanges, removalScript } from '../../vrrp/notify/steps/state.js';
import { HAPROXY_MONITOR_PORT } from '../render/haproxy.js';
import { CHECK_SCRIPT_PATH, SCRIPT_USER } from '../render/keepalived.js';
import { ACCOUNT, ACCOUNT_PATH, FIRST_LINE, type Service } from '../render/units.js';
import { CONFIG_PATHS, SERVICES, sha256 } from './files.js';
import { commandOf } from './programs.js';
import { type LoadBalancerState, lookAtLoadBalancer, programChanges } from './state.js';

const ACTIVATE_SECONDS = 120;

/** HAProxy and keepalived on one control plane. Who holds the VIP is seen by `verifyEndpoint`, when all are up. */
export const configureLoadBalancer: StepImplementation = {
  async probe(context) {
    return toProbe(context, await lookAtLoadBalancer(context));
  },

  async apply(context) {
    const state = await lookAtLoadBalancer(context);
    await bringPrograms(context, state);
    // keepalived refuses a configuration whose script is not there.
    await write(context, state.files.slice(0, 1));
    await validate(context, state);
    await write(context, [...state.stale, ...state.notifier.stale]);
    await removeUnits(context, state);
    const services = SERVICES.filter((service) => changesOf(state, service).length > 0);
    const isLive = services.some((service) => state.services[service].active);
    const bringUp = () => activate(context, state, services);
    await (isLive ? inTurn(context, 'the load balancer is reloaded', bringUp) : bringUp());
  },
};

function toProbe(context: StepContext, state: LoadBalancerState): Probe {
  const changes = [
    ...programChanges(state),
    ...state.stale.map(({ path }) => `write ${path}`),
    ...notifierChanges(state.notifier),
    ...SERVICES.flatMap((service) => changesOf(state, service)),
  ];
  const done = changes.length === 0;
  const found = done
    ? `HAProxy and keepalived run with this configuration for ${endpointOf(context.cluster)}`
    : 'HAProxy and keepalived do not run with this configuration';
  return { done, found, changes };
}

function changesOf(state: LoadBalancerState, service: Service): string[] {
  const { active, enabled, loaded, wrongProgram } = state.services[service];
  const answers = service === 'keepalived' || state.answers;
  const changes = enabled ? [] : [`start ${service} at boot`];
  if (!active) changes.push(`start ${service}`);
  else if (wrongProgram !== undefined) changes.push(`restart ${service}, which is ${wrongProgram}`);
  else if (!loaded || !answers) changes.push(`reload ${service}`);
  return changes;
}

async function write(context: StepContext, files: LoadBalancerState['files']): Promise<void> {
  await Promise.all(files.map(({ path, content, mode }) => context.host.writeFile(path, content, { mode })));
}

async function bringPrograms(
  context: StepContext,
  { programs, files, lacksAccount }: LoadBalancerState,
): Promise<void> {
  if (programs === undefined) return;
  const { host, signal } = context;
  await host.upload(programs.uploads, { signal, onProgress: (line) => context.progress(line) });
  await linkPrograms(context, programs.linked);
  if (!lacksAccount) return;
  await write(
    context,
    files.filter(({ path }) => path === ACCOUNT_PATH),
  );
  await createAccount(context);
}

async function createAccount(context: StepContext): Promise<void> {
  const { host, signal } = context;
  const script = `systemd-sysusers ${ACCOUNT_PATH} 2>&1 && getent passwd ${ACCOUNT} >&2\n`;
  const result = await host.run(script, { signal, allowFailure: true });
  if (result.exitCode === 0) return;
  throw new KubewrightError('KW457', `the account ${ACCOUNT} cannot be created, whose rights HAProxy takes on`, {
    host: host.name,
    output: `${result.stdout}${result.stderr}`.trim().slice(-2000),
    hint: `systemd-sysusers says why above. Create it by hand (\`useradd --system --no-create-home --home-dir /var/lib/haproxy --shell /usr/sbin/nologin ${ACCOUNT}\`), then retry the step.`,
  });
}

/** Each is looked at once more. Before anything is restarted: else the distribution's program would be started by the unit of the bundle's. */
async function removeUnits(context: StepContext, { unwantedUnits }: LoadBalancerState): Promise<void> {
  if (unwantedUnits.length === 0) return;
  const removals = unwantedUnits.map(
    (path) => `head -n 1 ${path} | grep -q ${quote(`^${FIRST_LINE}`)} && rm -f ${path}`,
  );
  await context.host.run(`${removals.join('\n')}\ntrue\n`, { signal: context.signal });
}

/** What stands for the check script while keepalived's configuration is tested. */
const HARMLESS = '/bin/true';

/**
 * Lets both read the new configuration before it replaces one that works. keepalived 2.2.7 ends its own test by SIGTERM
 * (exit code 143) when scripts belong to another user than root, so it is tested with root's. Then it wants every directory
 * above the script to be writable for root alone (exit code 5, "Disabling track script … due to insecure"), which
 * /usr/local/lib is not on hosts that once were Debian 9; the test therefore names another script. keepalived itself runs
 * the real one as nobody, to whom that rule does not apply.
 */
async function validate(context: StepContext, { files, programs }: LoadBalancerState): Promise<void> {
  const contentOf = (service: Service) => files.find(({ path }) => path === CONFIG_PATHS[service])?.content ?? '';
  const keepalived = contentOf('keepalived')
    .replace(`script_user ${SCRIPT_USER}`, 'script_user root')
    .replaceAll(`"${CHECK_SCRIPT_PATH} `, `"${HARMLESS} `);
  const script = `set -u
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
cd "$directory" || exit 1
printf %s ${quote(contentOf('haproxy'))} >haproxy.cfg
printf %s ${quote(keepalived)} >keepalived.conf
${commandOf('haproxy', programs)} -c -q -f haproxy.cfg 2>&1 || exit 2
${commandOf('keepalived', programs)} --config-test --use-file="$directory/keepalived.conf" 2>&1 || exit 3
`;
  const result = await context.host.run(script, { signal: context.signal, allowFailure: true });
  if (result.exitCode === 0) return;
  const program = result.exitCode === 3 ? 'keepalived' : 'HAProxy';
  throw new KubewrightError('KW462', `${program} refuses the configuration that was made for it`, {
    host: context.host.name,
    output: `${result.stdout}${result.stderr}`.trim().slice(-4000),
    hint: `Nothing was replaced. Look at the output, and at the version of ${program}: tested are HAProxy 2.6 and keepalived 2.2.`,
  });
}

/**
 * Reloads what runs, which keeps HAProxy's connections and the VIP where they are, restarts what is another program, and
 * starts what does not run. keepalived
 * waits for HAProxy: it would start in FAULT.
 */
async function activate(context: StepContext, state: LoadBalancerState, services: Service[]): Promise<void> {
  try {
    await context.durable('activate', activateScript(state, services), { timeoutSeconds: ACTIVATE_SECONDS });
  } catch (error) {
    // Only the command's own failure is explained; a lost connection or host stays what it is.
    if (!isKubewrightError(error) || error.code !== 'KW431') throw error;
    throw didNotComeUp(context, [...state.notifier.start.map(() => NOTIFIER_SERVICE), ...services], error);
  }
}

/** Names the configuration, so that the end of an earlier command that loaded another one is not taken for this one's. */
function activateScript({ files, services: states, notifier }: LoadBalancerState, services: Service[]): string {
  const verb = (service: Service) => (states[service].wrongProgram === undefined ? 'reload-or-restart' : 'restart');
  const answers = '\nanswers || { echo "HAProxy does not answer"; exit 1; }';
  const lines = [
    // First, for keepalived shall find the pipe that it writes to.
    ...notifier.start.map(() => `bring_up ${NOTIFIER_SERVICE} restart`),
    ...services.map((service) => `bring_up ${service} ${verb(service)}${service === 'haproxy' ? answers : ''}`),
  ];
  return `# ${sha256(files.map(({ content }) => content).join(''))} ${notifier.digest}
bring_up() {
  systemctl enable --quiet "$1" && systemctl "$2" "$1" && return
  journalctl --no-pager --quiet --lines=15 --unit="$1"
  exit 1
}
answers() { for _ in {1..100}; do ${CHECK_SCRIPT_PATH} alive 2>/dev/null && return; sleep 0.1; done; return 1; }
systemctl daemon-reload
${lines.join('\n')}
${removalScript(notifier)}`;
}

function didNotComeUp(context: StepContext, services: string[], cause: KubewrightError): KubewrightError {
  return new KubewrightError('KW463', `${services.join(' and ')} did not come up`, {
    host: context.host.name,
    output: cause.output,
    cause,
    hint: `Look at \`systemctl status ${services.join(' ')}\` on the host, free ports ${context.cluster.endpoint.port} and ${HAPROXY_MONITOR_PORT} if something else has them, then retry the step.`,
  });
}
