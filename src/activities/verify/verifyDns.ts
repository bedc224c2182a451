import { createHash } from 'node:crypto';
import type { Cluster } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { type Answer, every, refine, requireYes, yes } from '../answers.js';
import { onEachHost } from '../each-host.js';
import { findControlPlane, type ReadyControlPlane, requireControlPlane } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { awaitFaultless, type Faults } from './await-state.js';
import { askFromPods, type SilentPods } from './dns-from-pods.js';
import { CHECK_NAMESPACE } from './dns-pods.js';
import { answersWith, askDnsFunction } from './dns-query.js';
import { withoutNetwork } from './later-network.js';
import { nodesOf } from './verifyNodes.js';

/** ConfigMap that says for which nodes the check from inside of pods went well. */
const RECORD = 'kubewright-checks';
/** For CoreDNS, which starts as soon as the first node is Ready, and for what carries its answers to the last node. */
const PATIENCE_SECONDS = 300;
const ASK_EVERY_MS = 500;

const LOOK_AT =
  'Look at kube-proxy, the pod network and CoreDNS with `kubectl get pods --all-namespaces -o wide`, then retry the step.';

/**
 * Holds when DNS answers on every node. From inside of a pod on each node this is tried once for a set of nodes, and the
 * cluster remembers for which; pods are made for it and deleted. From then on it is asked from each host, through its
 * kube-proxy, which changes nothing.
 */
export const verifyDns: StepImplementation = {
  async probe(context) {
    const via = await findControlPlane(context);
    if (via === undefined)
      return { done: false, found: 'no control plane is ready', changes: ['ask DNS on each node'] };
    const postponed = await withoutNetwork(context, 'DNS was not asked');
    if (postponed !== undefined) return postponed;
    const known = await look(context, via);
    if (known.is !== 'yes') {
      const found = known.is === 'no' ? known.evidence : `cannot tell ${QUESTION}: ${known.why}`;
      return { done: false, found, changes: ['ask DNS on each node'] };
    }
    const state = known.value;
    if (state.recorded !== state.nodes) {
      return {
        done: false,
        found: 'DNS was not asked from pods on these nodes yet',
        changes: ['ask DNS from a pod on each node'],
      };
    }
    const silent = await silentHosts(context, state, 3);
    if (silent.length > 0) {
      return {
        done: false,
        found: `DNS does not answer on ${silent.join(', ')}`,
        changes: ['ask DNS from a pod on each node'],
      };
    }
    return { done: true, found: `DNS answers on ${nodesOf(context.cluster).length} nodes`, changes: [] };
  },

  async apply(context) {
    const via = await requireControlPlane(context);
    const before = requireYes(await look(context, via), QUESTION, via.host.name);
    await awaitAnswers(context, before);
    const silent = await askFromPods(context, via, {
      nodes: nodesOf(context.cluster),
      patienceSeconds: PATIENCE_SECONDS,
    });
    if (silent !== undefined) throw silentPods(silent);
    const { nodes } = requireYes(await look(context, via), QUESTION, via.host.name);
    // A node that was replaced meanwhile is another one: from it nobody has asked.
    if (nodes === before.nodes) await remember(context, via, nodes);
  },
};

const QUESTION = 'from which nodes DNS was asked';

interface DnsState {
  /** Hash of the nodes' identities; a node that was replaced is another one. */
  nodes: string;
  recorded: string;
  dnsAddress: string;
  apiAddress: string;
}

async function look(context: StepContext, via: ReadyControlPlane): Promise<Answer<DnsState>> {
  const names = nodesOf(context.cluster).map(({ name }) => quote(name));
  const uids = '{range .items[*]}{.metadata.name}={.metadata.uid}{"\\n"}{end}';
  // kubectl prints one object, not a list, when it is asked for one.
  const one = '{.metadata.name}={.metadata.uid}{"\\n"}';
  const inNamespace = `${via.kubectl} -n ${CHECK_NAMESPACE} get`;
  const facts = await gatherFacts(
    via.remote,
    `ask nodes ${via.kubectl} get nodes ${names.join(' ')} -o ${quote(`jsonpath=${names.length === 1 ? one : uids}`)}
ask recorded ${inNamespace} configmap ${RECORD} --ignore-not-found -o ${quote('jsonpath={.data.dns}')}
ask dns ${inNamespace} service kube-dns -o ${quote('jsonpath={.spec.clusterIP}')}
ask api ${via.kubectl} -n default get service kubernetes -o ${quote('jsonpath={.spec.clusterIP}')}`,
    context.signal,
  );
  const asked = ['nodes', 'recorded', 'dns', 'api'].map((name) => facts.answer(name, `there is no ${name}`));
  return refine(every(asked), ([nodes = '', recorded = '', dnsAddress = '', apiAddress = '']) =>
    yes({ nodes: hashOf(nodes), recorded, dnsAddress, apiAddress }),
  );
}

function hashOf(nodes: string): string {
  return createHash('sha256').update(nodes.split('\n').sort().join('\n')).digest('hex');
}

/**
 * Waits until the hosts themselves get answers. A pod that comes before its node's network is tried again by the kubelet
 * only a quarter of a minute later, so none is made before the network carries.
 */
async function awaitAnswers(context: StepContext, state: DnsState): Promise<void> {
  const faults = async (): Promise<Faults> => {
    const silent = await silentHosts(context, state, 1);
    return yes(silent.length === 0 ? [] : [`DNS does not answer on ${silent.join(', ')}`]);
  };
  const left = await awaitFaultless(context, 'whether DNS answers', faults, {
    patienceMs: PATIENCE_SECONDS * 1_000,
    everyMs: ASK_EVERY_MS,
  });
  if (left.length === 0) return;
  throw new KubewrightError('KW483', left.join('; '), { hint: LOOK_AT });
}

/** @param times how often each is asked: a datagram may be lost without anything being wrong */
async function silentHosts(
  context: StepContext,
  { dnsAddress, apiAddress }: DnsState,
  times: number,
): Promise<string[]> {
  const script = `${askDnsFunction(serviceName(context.cluster))}
once() { local answer; answer=$(ask_dns ${quote(dnsAddress)}); [ -n "$answer" ] && echo "$answer"; }
answer() { for try in $(seq ${times}); do ! once || return 0; done; return 1; }
fact answer answer`;
  const asked = await onEachHost(nodesOf(context.cluster), async ({ name }) => {
    const facts = await gatherFacts(context.hostNamed(name), script, context.signal);
    return answersWith(facts.text('answer'), apiAddress) ? [] : [name];
  });
  return asked.flat();
}

function serviceName(cluster: Cluster): string {
  return `kubernetes.default.svc.${cluster.kubernetes.dnsDomain}`;
}

async function remember(context: StepContext, via: ReadyControlPlane, nodes: string): Promise<void> {
  const record = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: RECORD, namespace: CHECK_NAMESPACE, labels: { 'app.kubernetes.io/managed-by': 'kubewright' } },
    data: { dns: nodes },
  };
  await via.remote.run(`${via.kubectl} apply --server-side --force-conflicts --field-manager=kubewright -f -`, {
    input: JSON.stringify(record),
    signal: context.signal,
  });
}

/** The fault is where a pod got no answer, not on the control plane that was asked about it. */
function silentPods({ nodes, output }: SilentPods): KubewrightError {
  const where = nodes.length === 0 ? 'from pods' : `from a pod on ${nodes.join(', ')}`;
  return new KubewrightError('KW483', `DNS did not answer ${where}`, {
    host: nodes.length === 1 ? nodes[0] : undefined,
    output,
    hint: LOOK_AT,
  });
}
