import { randomBytes } from 'node:crypto';
import { bundleCommandFor } from '../../bundle/bundle.js';
import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { requireYes, unknown } from '../answers.js';
import { anyBundleFor, artifactsFor } from '../artifacts.js';
import type { ReadyControlPlane } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { CHECK_KEY, CHECK_NAMESPACE, renderDnsPods } from './dns-pods.js';

export interface PodQuestion {
  /** Nodes on each of which a pod asks. */
  nodes: ClusterHost[];
  /** How long CoreDNS may take to be there, and then the pods to get their answers. */
  patienceSeconds: number;
  /** Label of its pods. Those of another question with the same label are taken for left over, and deleted. */
  key?: string;
  /** Whether one more pod asks, which kube-scheduler has to place on any of the nodes. Default false. */
  scheduled?: boolean;
  /** What a pod runs in its image: it succeeds when it has got its answers. Default: resolves the API's name and connects to it. */
  command?: readonly string[];
}

/** Nodes whose pods got no answer (none where CoreDNS itself is not there), and what was seen. */
export interface SilentPods {
  nodes: string[];
  output: string;
  /** Why the pod that was to be scheduled is on no node; empty where nobody says why, as when no scheduler runs. */
  unplaced?: string;
}

/**
 * Asks DNS from a pod on each node, and deletes the pods.
 *
 * @returns undefined when all got an answer
 * @throws KubewrightError KW433 (transient) when the API could not be asked, KW734 without an image that can ask
 */
export async function askFromPods(
  context: StepContext,
  via: ReadyControlPlane,
  { nodes, patienceSeconds, key = CHECK_KEY, scheduled = false, command }: PodQuestion,
): Promise<SilentPods | undefined> {
  const image = await checkImageFor(context, via);
  context.progress(`asking DNS from a pod on each of ${nodes.length} nodes`);
  const check = `dns-${randomBytes(4).toString('hex')}`;
  const result = await via.remote.run(
    podScript(via, { pods: nodes.length + Number(scheduled), check, key, patienceSeconds }),
    {
      input: renderDnsPods(context.cluster, nodes, { image, check, key, scheduled, command }),
      signal: context.signal,
      allowFailure: true,
      timeoutMs: (2 * patienceSeconds + 60) * 1_000,
    },
  );
  if (result.exitCode === 0) return undefined;
  // The last of its tries says it: they have all met the same, or others that are over.
  const why = result.stderr.trim().split('\n').at(-1) ?? '';
  if (result.exitCode === NOT_ASKED) requireYes(unknown(why), 'whether DNS answers from pods', via.host.name);
  const { stdout, stderr } = result;
  const named = SILENT.exec(stdout)?.[1]?.trim().split(/\s+/).filter(Boolean) ?? [];
  const unplaced = UNPLACED.exec(stdout)?.[1]?.trim();
  const output = `${stdout.replace(SILENT, '').replace(UNPLACED, '')}\n${stderr}`.trim();
  return { nodes: [...new Set(named)], output, ...(unplaced === undefined ? {} : { unplaced }) };
}

/** Line in which the script names the nodes whose pods got no answer. */
const SILENT = /^kubewright-silent:(.*)$\n?/m;

/** Line in which it says why a pod is on no node. */
const UNPLACED = /^kubewright-unplaced:(.*)$\n?/m;

/** Exit status with which the script says that the API could not be asked, which is nothing that DNS did. */
const NOT_ASKED = 75;

interface PodScript extends Required<Pick<PodQuestion, 'key' | 'patienceSeconds'>> {
  pods: number;
  check: string;
}

/**
 * Also what an interrupted check left is deleted first, and what this one makes always, and nothing else: a script whose
 * connection broke lives on, and ends while the next one waits for its pods. Prints what went wrong where. A call that fails
 * is made again: one in three does in an election.
 */
function podScript(via: ReadyControlPlane, { pods, check, key, patienceSeconds }: PodScript): string {
  const inNamespace = `${via.kubectl} -n ${CHECK_NAMESPACE}`;
  const ours = `-l ${quote(`${key}=${check}`)}`;
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
clear_pods ${key} || clear_pods ${key} || true
trap 'clear_pods ${key}=${check} || clear_pods ${key}=${check}' EXIT
deadline=$((SECONDS + ${patienceSeconds}))
until ${patient} rollout status deployment/coredns --timeout=$((deadline - SECONDS + 1))s >/dev/null; do
  [ $SECONDS -lt $deadline ] || { again ${inNamespace} get deployment coredns --ignore-not-found >/dev/null; echo 'CoreDNS is not available'; ${inNamespace} get pods -l k8s-app=kube-dns -o wide; exit 1; }
  sleep 0.5
done
again make_pods >/dev/null
deadline=$((SECONDS + ${patienceSeconds}))
until succeeded=$(again in_phase =Succeeded) || exit; [ "$(grep -c . <<<"$succeeded")" -ge ${pods} ]; do
  [ $SECONDS -lt $deadline ] || break
  # Fails when time is up, and when the watch breaks off: it is looked again in both cases.
  ${patient} wait pods ${ours} --for=${quote('jsonpath={.status.phase}=Succeeded')} --timeout=$((deadline - SECONDS + 1))s >/dev/null 2>&1 || sleep 0.5
done
[ "$(grep -c . <<<"$succeeded")" -ge ${pods} ] && exit 0
failed=$(again in_phase '!=Succeeded') || exit
echo "kubewright-silent: $(cut -d' ' -f2 <<<"$failed" | tr '\n' ' ')"
while read -r pod node; do
  [ -n "$pod" ] && [ -z "$node" ] || continue
  why=$(again ${inNamespace} get pod "$pod" -o ${quote('jsonpath={.status.conditions[?(@.type=="PodScheduled")].message}')}) || exit
  echo "kubewright-unplaced: $why"
done <<<"$failed"
${inNamespace} get pods ${ours} -o wide
for pod in $(cut -d' ' -f1 <<<"$failed"); do
  ${inNamespace} logs --tail=3 "$pod" 2>&1 || true
done
exit 1`;
}

/**
 * Name of the image with which pods ask.
 *
 * @throws KubewrightError KW734 where there is none, KW433 (transient) when the control plane does not tell its architecture
 */
export async function checkImageFor(
  context: Pick<StepContext, 'cluster' | 'signal'>,
  via: Pick<ReadyControlPlane, 'host' | 'remote'>,
): Promise<string> {
  const architecture = await architectureOf(context, via);
  const image = (await artifactsFor(context.cluster, architecture)).checkImages()[0]?.names[0];
  if (image === undefined) throw await noCheckImage(context.cluster, architecture);
  return image;
}

/** Architecture of a host, as bundles name it. @throws KubewrightError KW433 (transient) when it does not tell */
async function architectureOf(
  context: Pick<StepContext, 'signal'>,
  via: Pick<ReadyControlPlane, 'host' | 'remote'>,
): Promise<string> {
  const facts = await gatherFacts(via.remote, 'ask machine uname -m', context.signal);
  const machine = requireYes(facts.answer('machine', 'it tells nothing'), 'its architecture', via.host.name);
  return machine === 'aarch64' ? 'arm64' : 'amd64';
}

async function noCheckImage(cluster: Cluster, architecture: string): Promise<KubewrightError> {
  const bundle = await anyBundleFor(cluster, architecture);
  if (bundle === undefined) {
    return new KubewrightError('KW734', 'No image is known that can ask DNS (agnhost).', {
      hint: 'packages.source: repository takes the image that this version of Kubewright names: report that it names none, or take a bundle.',
    });
  }
  const command = `${bundleCommandFor(bundle.kubernetesVersion, bundle.architecture)} --from ${bundle.source}`;
  return new KubewrightError('KW734', `The bundle ${bundle.directory} has no image that can ask DNS (agnhost).`, {
    hint: `Make the bundle again with \`${command}\`.`,
  });
}
