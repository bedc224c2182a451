import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { type Answer, requireKnown, yes } from '../answers.js';
import { findControlPlane, type ReadyControlPlane, requireControlPlane } from '../kubeadm/control-plane.js';
import type { StepContext, StepImplementation } from '../types.js';
import { awaitFaultless, type Faults } from './await-state.js';
import { type CoreDns, leastHostsOf, lookAtCoreDns, type Toleration } from './core-dns.js';
import { CHECK_NAMESPACE } from './dns-pods.js';
import { withoutNetwork } from './later-network.js';
import { awaitPlaces } from './places.js';
import { nodesOf } from './verifyNodes.js';

const PATIENCE_MS = 5 * 60_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Seconds after which a pod of CoreDNS is made anew elsewhere when its node is lost. Without tolerations of its own
 * Kubernetes waits 300 (the admission plugin DefaultTolerationSeconds), for which the other pod is the only one.
 */
const EVICTION_SECONDS = 30;
const LOST = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** Pods that are moved before a scheduler that puts them together again is called a fault. */
const MOST_MOVES = 4;

/**
 * CoreDNS on at least two hosts. kubeadm makes its pods while there is one node, and nobody moves them afterwards: when
 * that host loses its power, no name is resolved anywhere for minutes. So they are spread once others are there to take them,
 * and whenever they are found together.
 *
 * kubeadm's deployment prefers hosts without another pod of it, so one that is evicted comes up elsewhere. A rollout does not
 * do: the pods of the old template count too, and between two hosts all new ones avoid the host of the old, together.
 */
export const spreadDns: StepImplementation = {
  async probe(context) {
    const via = await findControlPlane(context);
    if (via === undefined) return { done: false, found: 'no control plane is ready', changes: ['spread CoreDNS'] };
    const postponed = await withoutNetwork(context, 'CoreDNS was not spread');
    if (postponed !== undefined) return postponed;
    const faults = faultsOf(await lookAtCoreDns(context, via), leastHosts(context));
    const changes = faults.length === 0 ? [] : [`have CoreDNS run on at least ${leastHosts(context)} hosts`];
    return {
      done: faults.length === 0,
      found: faults.join('; ') || `CoreDNS runs on ${leastHosts(context)} hosts or more`,
      changes,
    };
  },

  async apply(context) {
    const via = await requireControlPlane(context);
    // One that is evicted before would come up where it was.
    await awaitPlaces(context, via, leastHosts(context));
    // Pods that are on their way are let come: a template that changes now would make them anew.
    await settle(context, via);
    const state = requireKnown(await lookAtCoreDns(context, via), QUESTION, via.host.name);
    if (state.is === 'yes' && needsTemplate(state.value, leastHosts(context))) {
      await changeTemplate(context, via, state.value);
      await settle(context, via);
    }
    await moveApart(context, via);
    const faultsIn = (state: Answer<CoreDns>): Faults =>
      state.is === 'unknown' ? state : yes(faultsOf(state, leastHosts(context)));
    const left = await awaitFaultless(context, QUESTION, async () => faultsIn(await lookAtCoreDns(context, via)), {
      patienceMs: PATIENCE_MS,
      everyMs: LOOK_EVERY_MS,
    });
    if (left.length > 0) throw notSpread(left);
  },
};

const QUESTION = 'where CoreDNS runs';

function leastHosts({ cluster }: StepContext): number {
  return leastHostsOf(nodesOf(cluster).length);
}

function faultsOf(state: Answer<CoreDns>, hosts: number): string[] {
  if (state.is === 'unknown') return [`cannot tell where CoreDNS runs: ${state.why.trim().split('\n').at(-1)}`];
  // cluster.yaml has no key for another DNS: somebody took it away, and the check of DNS says whether something else serves.
  if (state.is === 'no') return ['there is no deployment CoreDNS'];
  const { value } = state;
  const faults = [...new Set(value.pending)].map((message) => `a pod of CoreDNS is not scheduled: ${message}`);
  if (value.replicas < hosts) faults.push(`CoreDNS has ${value.replicas} replica`);
  if (!toleratesShortly(value.tolerations)) faults.push('CoreDNS stays for minutes on a host that is lost');
  // Before it is, the pods of the old template count too, and they go.
  if (!value.settled) faults.push('CoreDNS is still being rolled out');
  if (value.hosts.length < hosts) faults.push(`CoreDNS runs on ${value.hosts.join(', ') || 'no host'} only`);
  return faults;
}

/** Whoever has set tolerations of their own for lost nodes has thought about it. */
function toleratesShortly(tolerations: Toleration[]): boolean {
  return LOST.every((key) => tolerations.some((each) => each.key === key));
}

async function settle(context: StepContext, via: ReadyControlPlane): Promise<void> {
  const unsettled = async (): Promise<Faults> => {
    const state = await lookAtCoreDns(context, via);
    return yes(state.is === 'yes' && state.value.settled ? [] : ['CoreDNS is not ready yet']);
  };
  // What keeps it from becoming ready is told at the end, when there was time for it.
  await awaitFaultless(context, QUESTION, unsettled, { patienceMs: PATIENCE_MS / 2, everyMs: LOOK_EVERY_MS });
}

function needsTemplate(state: CoreDns, hosts: number): boolean {
  return state.replicas < hosts || !toleratesShortly(state.tolerations);
}

/** Evicts one pod after the other from the host with the most of them, until they run on enough hosts. */
async function moveApart(context: StepContext, via: ReadyControlPlane): Promise<void> {
  for (let moves = 0; moves < MOST_MOVES; moves++) {
    const state = requireKnown(await lookAtCoreDns(context, via), QUESTION, via.host.name);
    // While pods come and go nobody knows where they will be.
    if (state.is === 'no' || !state.value.settled || state.value.hosts.length >= leastHosts(context)) return;
    await evictOne(context, via, state.value);
    await settle(context, via);
  }
}

async function evictOne(context: StepContext, via: ReadyControlPlane, { pods, hosts }: CoreDns): Promise<void> {
  const crowd = (node: string) => pods.filter((pod) => pod.node === node);
  const [most] = hosts.map(crowd).sort((a, b) => b.length - a.length);
  const pod = most?.at(-1);
  // The last one of a host is never evicted: the others of the cluster may not serve yet.
  if (pod === undefined || most === undefined || most.length < 2) return;
  context.progress(`moving a pod of CoreDNS away from ${pod.node}`);
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: pod.name, namespace: CHECK_NAMESPACE },
    // This very pod: one of the same name may be another by then.
    deleteOptions: { preconditions: { uid: pod.uid } },
  };
  const path = `/api/v1/namespaces/${CHECK_NAMESPACE}/pods/${pod.name}/eviction`;
  const script = `${via.kubectl} create --raw ${quote(path)} -f - >/dev/null`;
  await via.remote.run(script, { input: JSON.stringify(eviction), signal: context.signal });
}

/** What is missing in the template, all in one change, for each makes every pod anew. */
async function changeTemplate(context: StepContext, via: ReadyControlPlane, state: CoreDns): Promise<void> {
  const missing = LOST.filter((key) => !state.tolerations.some((each) => each.key === key)).map((key) => {
    return { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: EVICTION_SECONDS };
  });
  const patch = {
    // Refused if somebody changed it since it was looked at.
    metadata: { resourceVersion: state.resourceVersion },
    spec: {
      replicas: Math.max(state.replicas, leastHosts(context)),
      template: { spec: { tolerations: [...state.tolerations, ...missing] } },
    },
  };
  context.progress('changing the deployment of CoreDNS');
  const script = `${via.kubectl} -n ${CHECK_NAMESPACE} patch deployment coredns --type=merge --field-manager=kubewright \\
  --patch-file=/dev/stdin >/dev/null`;
  await via.remote.run(script, { input: JSON.stringify(patch), signal: context.signal });
}

function notSpread(faults: string[]): KubewrightError {
  const tainted = faults.some((fault) => fault.includes('node.cloudprovider.kubernetes.io/uninitialized'));
  return new KubewrightError('KW484', faults.join('; '), {
    hint: tainted
      ? "The nodes wait for the cloud's controller manager, which takes that taint off: install it, then retry the step."
      : 'Look at `kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide` and `kubectl get nodes`, mend the cause, then retry the step.',
  });
}
