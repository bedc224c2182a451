import { artifactSourceOf } from '../../components/registry/plan.js';
import { KubewrightError } from '../../errors.js';
import { MANIFESTS_DIRECTORY } from '../../render/kubeadm-paths.js';
import { OWNER_PATH } from '../../render/owner.js';
import { type Answer, refine, requireKnown, unknown, yes } from '../answers.js';
import { KUBELET_KUBECONFIG } from '../kubeadm/node/node-state.js';
import { hostOf } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { membershipOf, runningKubelet, versionIn } from './host-applied.js';

/**
 * Why the programs of the step's host must be left alone: it is a member of a cluster, and its kubelet is of another version
 * than the file's. A newer kubelet than its API server is outside of what Kubernetes supports, and an older one would undo
 * an upgrade. Asked by the step itself: between the preflight and it somebody may have upgraded the host.
 *
 * @returns KW362, or undefined when the programs may be replaced
 * @throws KubewrightError KW433 (transient) when it cannot be told
 */
export async function otherVersion(context: StepContext): Promise<KubewrightError | undefined> {
  const { version } = context.cluster.kubernetes;
  const running = requireKnown(await livingVersion(context), 'which version runs there', context.host.name);
  if (running.is === 'no' || running.value === version) return undefined;
  return new KubewrightError(
    'KW362',
    `it is a member of the cluster and runs Kubernetes ${running.value}; cluster.yaml says ${version}`,
    {
      host: context.host.name,
      hint: `Nothing was changed. This version of Kubewright neither upgrades a node nor takes it back. Write kubernetes.version: ${running.value} into cluster.yaml if the whole cluster runs it; else bring this host to ${version} by hand.`,
    },
  );
}

/** The version that a member of a cluster runs; no where the host is none, or has no kubelet. */
async function livingVersion(context: StepContext): Promise<Answer<string>> {
  const { role } = hostOf(context);
  const evidence = role === 'etcd' ? `${MANIFESTS_DIRECTORY}/etcd.yaml` : KUBELET_KUBECONFIG;
  const { programDirectory } = artifactSourceOf(context.cluster);
  const facts = await gatherFacts(
    context.host,
    `${runningKubelet(programDirectory)}ask begun exists ${evidence}
ask owner content ${OWNER_PATH}
ask kubelet running_kubelet`,
    context.signal,
  );
  return refine(facts.answer('begun', `it has no ${evidence}`), () => {
    // A join or init that was cut off is taken back or begun anew, with the programs that the file asks for.
    const member = role === 'etcd' ? yes('') : membershipOf(facts);
    return refine(member, () =>
      refine(facts.answer('kubelet', 'it has no kubelet'), (text) => {
        const version = versionIn(text);
        return version === undefined ? unknown('its kubelet does not tell its version') : yes(version);
      }),
    );
  });
}
