import { apiServerPort } from '../../cluster/chosen-ports.js';
import { type Cluster, type ClusterHost, hostsOf } from '../../cluster/types.js';
import { QUORUM_RECOVERY } from '../../components/etcd/members/remove-member.js';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import type { RemoteHost } from '../../hosts/types.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { waitOf } from '../verify/await-state.js';

export const ADMIN_KUBECONFIG = '/etc/kubernetes/admin.conf';

/** How long a step waits for a control plane that answers: as long as API servers take to start on a busy machine. */
const PATIENCE_MS = 90_000;
const POLL_MS = 500;

/**
 * kubectl as administrator against a control plane's own API server, as shell words: the endpoint may lead anywhere.
 * For scripts that run on that control plane.
 */
export function kubectl(cluster: Pick<Cluster, 'kubernetes'>, host: Pick<ClusterHost, 'address'>): string {
  return `kubectl --kubeconfig=${ADMIN_KUBECONFIG} --server=https://${host.address}:${apiServerPort(cluster)} --request-timeout=10s`;
}

/** A control plane whose API server is ready, with what reaches it. */
export interface ReadyControlPlane {
  host: ClusterHost;
  remote: RemoteHost;
  /** `kubectl` against its API server, for scripts run on `remote`. */
  kubectl: string;
}

/** What is known of one control plane from outside of it. */
export type ControlPlaneLook =
  | { host: ClusterHost; state: 'ready' }
  /** A cluster is on it, and its API server does not say that it is ready. */
  | { host: ClusterHost; state: 'not-ready'; why: string }
  /** The host itself says that no cluster is on it. */
  | { host: ClusterHost; state: 'blank' }
  /** It could not be reached, or not asked. */
  | { host: ClusterHost; state: 'unknown'; why: string };

/** Looks at control planes side by side. One that cannot be reached is a finding, not an error. */
export function lookAtControlPlanes(context: StepContext, hosts: ClusterHost[]): Promise<ControlPlaneLook[]> {
  return Promise.all(hosts.map((host) => lookAt(context, host)));
}

async function lookAt(context: StepContext, host: ClusterHost): Promise<ControlPlaneLook> {
  const script = `ask initialised exists ${ADMIN_KUBECONFIG} /etc/kubernetes/manifests/kube-apiserver.yaml
[ ! -e ${ADMIN_KUBECONFIG} ] || ask ready ${kubectl(context.cluster, host)} get --raw /readyz`;
  try {
    const facts = await gatherFacts(context.hostNamed(host.name), script, context.signal);
    const ready = facts.answer('ready', '');
    if (ready.is === 'yes' && ready.value === 'ok') return { host, state: 'ready' };
    const initialised = facts.answer('initialised', `no cluster is on ${host.name}`);
    if (initialised.is === 'no') return { host, state: 'blank' };
    if (initialised.is === 'unknown') return { host, state: 'unknown', why: initialised.why };
    return { host, state: 'not-ready', why: ready.is === 'unknown' ? ready.why : 'it has no administrator kubeconfig' };
  } catch (error) {
    // Unreachable hosts (KW2xx) and those that hang are a normal branch here; anything else is not.
    if (isKubewrightError(error) && error.transient) return { host, state: 'unknown', why: error.message };
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
    if ((await lookAt(context, host)).state !== 'ready') throw new Error(`${host.name} is not ready`);
    return readyControlPlane(context, host);
  });
  return Promise.any(asked).catch((error: unknown) => {
    const unexpected = error instanceof AggregateError ? error.errors.find(isKubewrightError) : error;
    if (unexpected !== undefined) throw unexpected;
    return undefined;
  });
}

export function readyControlPlane(context: StepContext, host: ClusterHost): ReadyControlPlane {
  return { host, remote: context.hostNamed(host.name), kubectl: kubectl(context.cluster, host) };
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
  const look = async () => {
    const found = await findControlPlane(context, except);
    return found === undefined ? notYet('waiting for a control plane whose API server is ready') : seen(found);
  };
  const ready = await lookUntil(look, { patienceMs, everyMs: POLL_MS, ...waitOf(context) });
  if (ready !== undefined) return ready;
  throw noneReady(await lookAtControlPlanes(context, candidates(context.cluster, except)));
}

function wordsOf(look: ControlPlaneLook): string {
  const { name } = look.host;
  if (look.state === 'ready') return `${name} ready again`;
  if (look.state === 'blank') return `${name} without a cluster`;
  return `${name} ${look.state === 'unknown' ? 'unreachable' : 'not ready'}: ${look.why.trim().split('\n').at(-1)}`;
}

function noneReady(looks: ControlPlaneLook[]): KubewrightError {
  const unreachable = looks.filter(({ state }) => state === 'unknown').map(({ host }) => host.name);
  const waiting = looks.some(({ state }) => state === 'not-ready');
  const quorum = waiting && unreachable.length > 0;
  return new KubewrightError(
    'KW464',
    `no control plane has an API server that is ready (${looks.map(wordsOf).join('; ')})`,
    {
      transient: !quorum && looks.some(({ state }) => state === 'unknown' || state === 'ready'),
      hint: hintFor(looks, unreachable, quorum),
    },
  );
}

function hintFor(looks: ControlPlaneLook[], unreachable: string[], quorum: boolean): string {
  if (looks.some((look) => look.state === 'not-ready' && /certificate has expired/.test(look.why))) {
    return 'A certificate has expired. `kubeadm certs check-expiration` on that host names it; `kubeadm certs renew all` makes those of kubeadm anew. Restart its API server afterwards, then retry the step.';
  }
  if (quorum) {
    return `etcd may have no quorum without ${unreachable.join(', ')}: bring ${unreachable.length > 1 ? 'them' : 'it'} back, then retry the step. What to do when a control plane is lost for good: ${QUORUM_RECOVERY}.`;
  }
  return `Bring the control planes back; \`crictl ps -a\` and \`journalctl -u kubelet\` there say why an API server does not start. If etcd lost its quorum for good, see ${QUORUM_RECOVERY}.`;
}
