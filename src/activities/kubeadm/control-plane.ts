import { setTimeout as pause } from 'node:timers/promises';
import { type Cluster, type ClusterHost, hostsOf } from '../../cluster/types.js';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import type { RemoteHost } from '../../hosts/types.js';
import { API_SERVER_PORT } from '../../render/kubeadm.js';
import { QUORUM_RECOVERY } from '../etcd/remove-member.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';

export const ADMIN_KUBECONFIG = '/etc/kubernetes/admin.conf';

/** How long a step waits for a control plane that answers: as long as API servers take to start on a busy machine. */
const PATIENCE_MS = 90_000;
const POLL_MS = 500;

/**
 * kubectl as administrator against a control plane's own API server, as shell words: the VIP may lead anywhere.
 * For scripts that run on that control plane.
 */
export function kubectl(host: Pick<ClusterHost, 'address'>): string {
  return `kubectl --kubeconfig=${ADMIN_KUBECONFIG} --server=https://${host.address}:${API_SERVER_PORT} --request-timeout=10s`;
}

/** A control plane whose API server is ready, with what reaches it. */
export interface ReadyControlPlane {
  host: ClusterHost;
  remote: RemoteHost;
  /** `kubectl` against its API server, for scripts run on `remote`. */
  kubectl: string;
}

/** What is known of one control plane from outside of it. */
export interface ControlPlaneLook {
  host: ClusterHost;
  /** Undefined when the host could not be reached. */
  state: 'ready' | 'not-ready' | 'blank' | undefined;
}

/** Looks at control planes side by side. One that cannot be reached is a finding, not an error. */
export function lookAtControlPlanes(context: StepContext, hosts: ClusterHost[]): Promise<ControlPlaneLook[]> {
  return Promise.all(hosts.map(async (host) => ({ host, state: await stateOf(context, host) })));
}

async function stateOf(context: StepContext, host: ClusterHost): Promise<ControlPlaneLook['state']> {
  const script = `initialised() { [ -e ${ADMIN_KUBECONFIG} ] || [ -e /etc/kubernetes/manifests/kube-apiserver.yaml ]; }
fact initialised initialised
[ ! -e ${ADMIN_KUBECONFIG} ] || fact ready ${kubectl(host)} get --raw /readyz`;
  try {
    const facts = await gatherFacts(context.hostNamed(host.name), script, context.signal);
    if (facts.text('ready') === 'ok') return 'ready';
    return facts.holds('initialised') ? 'not-ready' : 'blank';
  } catch (error) {
    // Unreachable hosts (KW2xx) and those that hang are a normal branch here; anything else is not.
    if (isKubewrightError(error) && error.transient) return undefined;
    throw error;
  }
}

/**
 * The first control plane to say that its API server is ready; undefined when none is. Any control plane will do: the
 * one on which the cluster began is nothing special afterwards.
 */
export async function findControlPlane(
  context: StepContext,
  except?: ClusterHost,
): Promise<ReadyControlPlane | undefined> {
  const asked = candidates(context.cluster, except).map(async (host) => {
    if ((await stateOf(context, host)) !== 'ready') throw new Error(`${host.name} is not ready`);
    return readyControlPlane(context, host);
  });
  return Promise.any(asked).catch((error: unknown) => {
    const unexpected = error instanceof AggregateError ? error.errors.find(isKubewrightError) : error;
    if (unexpected !== undefined) throw unexpected;
    return undefined;
  });
}

export function readyControlPlane(context: StepContext, host: ClusterHost): ReadyControlPlane {
  return { host, remote: context.hostNamed(host.name), kubectl: kubectl(host) };
}

function candidates(cluster: Cluster, except?: ClusterHost): ClusterHost[] {
  return hostsOf(cluster, 'control-plane').filter(({ name }) => name !== except?.name);
}

/**
 * As `findControlPlane`, and waits for one for a minute and a half.
 *
 * @throws KubewrightError KW464 when none is ready by then. Transient while none can be reached at all, because then it is
 * the network or the hosts that are missing. Where one is reached and its API server is not ready, etcd has most likely
 * lost its quorum with those that are not reached: with two voters the loss of one is enough. That is for a person.
 */
export async function requireControlPlane(
  context: StepContext,
  except?: ClusterHost,
  patienceMs = PATIENCE_MS,
): Promise<ReadyControlPlane> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const found = await findControlPlane(context, except);
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw noneReady(await lookAtControlPlanes(context, candidates(context.cluster, except)));
    context.progress('waiting for a control plane whose API server is ready');
    await pause(POLL_MS, undefined, { signal: context.signal });
  }
}

const STATE_WORDS = { ready: 'ready again', 'not-ready': 'not ready', blank: 'without a cluster' } as const;

function noneReady(looks: ControlPlaneLook[]): KubewrightError {
  const words = looks.map(
    ({ host, state }) => `${host.name} ${state === undefined ? 'unreachable' : STATE_WORDS[state]}`,
  );
  const unreachable = looks.filter(({ state }) => state === undefined).map(({ host }) => host.name);
  const waiting = looks.some(({ state }) => state === 'not-ready');
  const quorum = waiting && unreachable.length > 0;
  const hint = quorum
    ? `etcd has no quorum without ${unreachable.join(', ')}: bring ${unreachable.length > 1 ? 'them' : 'it'} back, then retry the step. What to do when a control plane is lost for good: ${QUORUM_RECOVERY}.`
    : `Bring the control planes back; \`crictl ps -a\` and \`journalctl -u kubelet\` there say why an API server does not start. If etcd lost its quorum for good, see ${QUORUM_RECOVERY}.`;
  return new KubewrightError('KW464', `no control plane has an API server that is ready (${words.join(', ')})`, {
    transient: !quorum && looks.some(({ state }) => state === undefined || state === 'ready'),
    hint,
  });
}
