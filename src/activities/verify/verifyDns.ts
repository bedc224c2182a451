import { createHash, randomBytes } from 'node:crypto';
import { checkImages } from '../../bundle/bundle.js';
import type { Cluster } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import type { CommandResult } from '../../hosts/types.js';
import { type Answer, every, refine, requireYes, unknown, yes } from '../answers.js';
import { findControlPlane, type ReadyControlPlane, requireControlPlane } from '../kubeadm/control-plane.js';
import { bundleFor } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';
import { awaitFaultless } from './await-state.js';
import { CHECK_KEY, CHECK_NAMESPACE, renderDnsPods } from './dns-pods.js';
import { answersWith, askDnsFunction } from './dns-query.js';
import { nodesOf } from './verifyNodes.js';

/** ConfigMap that says for which nodes the check from inside of pods went well. */
const RECORD = 'kubewright-checks';
/** For CoreDNS, which starts as soon as the first node is Ready, and for what carries its answers to the last node. */
const PATIENCE_SECONDS = 300;
const ASK_EVERY_MS = 500;

const LOOK_AT =
  'Look at kube-proxy, flannel and CoreDNS with `kubectl get pods --all-namespaces -o wide`, then retry the step.';

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
    await askFromPods(context, via);
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
  const faults = async (): Promise<string[]> => {
    const silent = await silentHosts(context, state, 1);
    return silent.length === 0 ? [] : [`DNS does not answer on ${silent.join(', ')}`];
  };
  const left = await awaitFaultless(context, faults, { patienceMs: PATIENCE_SECONDS * 1_000, everyMs: ASK_EVERY_MS });
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
  const asked = nodesOf(context.cluster).map(async ({ name }) => {
    const facts = await gatherFacts(context.hostNamed(name), script, context.signal);
    return answersWith(facts.text('answer'), apiAddress) ? [] : [name];
  });
  return (await Promise.all(asked)).flat();
}

function serviceName(cluster: Cluster): string {
  return `kubernetes.default.svc.${cluster.kubernetes.dnsDomain}`;
}

async function askFromPods(context: StepContext, via: ReadyControlPlane): Promise<void> {
  const nodes = nodesOf(context.cluster);
  const bundle = await bundleFor(context.cluster, await architectureOf(context, via));
  const image = checkImages(bundle)[0]?.names[0];
  if (image === undefined) throw noCheckImage(bundle.directory);
  context.progress(`asking DNS from a pod on each of ${nodes.length} nodes`);
  const check = `dns-${randomBytes(4).toString('hex')}`;
  const result = await via.remote.run(podScript(via, nodes.length, check), {
    input: renderDnsPods(context.cluster, nodes, image, check),
    signal: context.signal,
    allowFailure: true,
    timeoutMs: (2 * PATIENCE_SECONDS + 60) * 1_000,
  });
  if (result.exitCode === 0) return;
  // The last of its tries says it: they have all met the same, or others that are over.
  const why = result.stderr.trim().split('\n').at(-1) ?? '';
  if (result.exitCode === NOT_ASKED) requireYes(unknown(why), 'whether DNS answers from pods', via.host.name);
  throw silentPods(result);
}

/** The fault is where a pod got no answer, not on the control plane that was asked about it. */
function silentPods({ stdout, stderr }: Pick<CommandResult, 'stdout' | 'stderr'>): KubewrightError {
  const named = SILENT.exec(stdout)?.[1]?.trim().split(/\s+/).filter(Boolean) ?? [];
  const where = named.length === 0 ? 'from pods' : `from a pod on ${named.join(', ')}`;
  return new KubewrightError('KW483', `DNS did not answer ${where}`, {
    host: named.length === 1 ? named[0] : undefined,
    output: `${stdout.replace(SILENT, '')}\n${stderr}`.trim(),
    hint: LOOK_AT,
  });
}

/** Line in which the script names the nodes whose pods got no answer. */
const SILENT = /^kubewright-silent:(.*)$\n?/m;

/** Exit status with which the script says that the API could not be asked, which is nothing that DNS did. */
const NOT_ASKED = 75;

/**
 * Also what an interrupted check left is deleted first, and what this one makes always, and nothing else: a script whose
 * connection broke lives on, and ends while the next one waits for its pods. Prints what went wrong where. A call that fails
 * is made again: one in three does in an election.
 */
function podScript(via: ReadyControlPlane, pods: number, check: string): string {
  const inNamespace = `${via.kubectl} -n ${CHECK_NAMESPACE}`;
  const ours = `-l ${quote(`${CHECK_KEY}=${check}`)}`;
  // `--request-timeout` bounds a watch too, so those that wait set their own.
  const patient = inNamespace.replace(/--request-timeout=\S+/, '--request-timeout=0');
  return `again() {
  local said
  for try in 1 2 3 4 5; do said=$("$@") && { printf '%s\n' "$said"; return; }; sleep 0.5; done
  exit ${NOT_ASKED}
}
clear_pods() { ${inNamespace} delete pods -l "$1" --grace-period=0 --force --wait=true --ignore-not-found >/dev/null 2>&1; }
manifest=$(cat)
make_pods() { printf '%s' "$manifest" | ${inNamespace} apply -f - >/dev/null; }
# Prints the pods in this state; what it prints counts only where it succeeds.
in_phase() { ${inNamespace} get pods ${ours} --field-selector="status.phase$1" -o ${quote('jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{"\\n"}{end}')}; }
clear_pods ${CHECK_KEY} || clear_pods ${CHECK_KEY} || true
trap 'clear_pods ${CHECK_KEY}=${check} || clear_pods ${CHECK_KEY}=${check}' EXIT
deadline=$((SECONDS + ${PATIENCE_SECONDS}))
until ${patient} rollout status deployment/coredns --timeout=$((deadline - SECONDS + 1))s >/dev/null; do
  [ $SECONDS -lt $deadline ] || { again ${inNamespace} get deployment coredns --ignore-not-found >/dev/null; echo 'CoreDNS is not available'; ${inNamespace} get pods -l k8s-app=kube-dns -o wide; exit 1; }
  sleep 0.5
done
again make_pods >/dev/null
deadline=$((SECONDS + ${PATIENCE_SECONDS}))
until succeeded=$(again in_phase =Succeeded) || exit; [ "$(grep -c . <<<"$succeeded")" -ge ${pods} ]; do
  [ $SECONDS -lt $deadline ] || break
  # Fails when time is up, and when the watch breaks off: it is looked again in both cases.
  ${patient} wait pods ${ours} --for=${quote('jsonpath={.status.phase}=Succeeded')} --timeout=$((deadline - SECONDS + 1))s >/dev/null 2>&1 || sleep 0.5
done
[ "$(grep -c . <<<"$succeeded")" -ge ${pods} ] && exit 0
failed=$(again in_phase '!=Succeeded') || exit
echo "kubewright-silent: $(cut -d' ' -f2 <<<"$failed" | tr '\n' ' ')"
${inNamespace} get pods ${ours} -o wide
for pod in $(cut -d' ' -f1 <<<"$failed"); do
  ${inNamespace} logs --tail=3 "$pod" 2>&1 || true
done
exit 1`;
}

async function architectureOf(context: StepContext, via: ReadyControlPlane): Promise<string> {
  const facts = await gatherFacts(via.remote, 'ask machine uname -m', context.signal);
  const machine = requireYes(facts.answer('machine', 'it tells nothing'), 'its architecture', via.host.name);
  return machine === 'aarch64' ? 'arm64' : 'amd64';
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

function noCheckImage(directory: string): KubewrightError {
  return new KubewrightError('KW734', `The bundle ${directory} has no image that can ask DNS (agnhost).`, {
    hint: 'Make the bundle again with `kubewright bundle create`.',
  });
}
