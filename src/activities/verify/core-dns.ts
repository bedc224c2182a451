import { type Answer, refine, unknown, yes } from '../answers.js';
import type { ReadyControlPlane } from '../kubeadm/control-plane.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { CHECK_NAMESPACE } from './dns-pods.js';

/** As many as kubeadm makes; and on as many hosts, or the loss of one is the loss of every name. */
const LEAST_REPLICAS = 2;

/** On how many hosts CoreDNS is to run, of so many nodes that can take it. */
export function leastHostsOf(nodes: number): number {
  return Math.min(LEAST_REPLICAS, nodes);
}

/** A taint that a pod bears with, as the API has it. */
export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

/** The deployment of CoreDNS, and where its pods are. */
export interface CoreDns {
  replicas: number;
  resourceVersion: string;
  tolerations: Toleration[];
  /** Pods that are ready and stay. */
  pods: { name: string; uid: string; node: string }[];
  /** Names of their nodes. */
  hosts: string[];
  /** Whether all its pods are of the newest template, and ready, and none is leaving. */
  settled: boolean;
  /** Why pods are not scheduled, in the scheduler's words. */
  pending: string[];
}

/** How CoreDNS stands, asked through a control plane; a no is the API's own, that there is no such deployment. */
export async function lookAtCoreDns(context: StepContext, via: ReadyControlPlane): Promise<Answer<CoreDns>> {
  const get = `${via.kubectl} -n ${CHECK_NAMESPACE} get`;
  const script = `ask deployment ${get} deployment coredns -o json
ask pods ${get} pods -l k8s-app=kube-dns -o json`;
  const facts = await gatherFacts(via.remote, script, context.signal);
  const pods = facts.answer('pods', 'there are no pods of CoreDNS');
  return refine(facts.answer('deployment', 'there is no CoreDNS'), (deployment) =>
    refine(pods, (list) => parse(deployment, list)),
  );
}

interface ApiDeployment {
  metadata: { resourceVersion: string; generation: number };
  spec: { replicas: number; template: { spec: { tolerations?: Toleration[] } } };
  status: { observedGeneration?: number; updatedReplicas?: number; readyReplicas?: number; replicas?: number };
}

interface ApiPod {
  metadata: { name: string; uid: string; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: { conditions?: { type: string; status: string; message?: string }[] };
}

function parse(deploymentJson: string, podsJson: string): Answer<CoreDns> {
  try {
    const { metadata, spec, status } = JSON.parse(deploymentJson) as ApiDeployment;
    const { items } = JSON.parse(podsJson) as { items: ApiPod[] };
    const condition = (pod: ApiPod, type: string) => pod.status.conditions?.find((each) => each.type === type);
    const staying = items.filter((pod) => pod.metadata.deletionTimestamp === undefined);
    const ready = staying.filter((pod) => condition(pod, 'Ready')?.status === 'True');
    const pods = ready.flatMap(({ metadata: { name, uid }, spec: { nodeName: node } }) =>
      node === undefined ? [] : [{ name, uid, node }],
    );
    return yes({
      replicas: spec.replicas,
      resourceVersion: metadata.resourceVersion,
      tolerations: spec.template.spec.tolerations ?? [],
      pods,
      hosts: [...new Set(pods.map(({ node }) => node))],
      settled:
        items.length === spec.replicas &&
        pods.length === spec.replicas &&
        status.observedGeneration === metadata.generation &&
        status.updatedReplicas === spec.replicas &&
        status.readyReplicas === spec.replicas &&
        status.replicas === spec.replicas,
      pending: staying.flatMap((pod) => {
        const scheduled = condition(pod, 'PodScheduled');
        return scheduled?.status === 'False' ? (scheduled.message ?? 'a pod is not scheduled') : [];
      }),
    });
  } catch {
    return unknown('kubectl printed something else than CoreDNS');
  }
}
