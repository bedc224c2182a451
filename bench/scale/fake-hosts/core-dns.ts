import type { ApiObject } from './api.js';
import type { FakeCluster } from './cluster.js';

interface Pod {
  uid: string;
  /** Chosen when there is a node that is Ready. */
  node: string | undefined;
}

/** The fake CoreDNS: a deployment whose pods the scheduler puts together at first, and apart when they are made anew. */
export class CoreDns {
  #pods: Pod[] = [];
  #generation = 0;
  #tolerations: unknown[] = [];
  #count = 0;

  constructor(private readonly cluster: FakeCluster) {}

  /** As kubeadm does. */
  install(): void {
    this.#generation = 1;
    this.#pods = [this.#newPod(), this.#newPod()];
  }

  /** A change of the template makes every pod anew. */
  patch(text: string): void {
    const { spec } = JSON.parse(text) as {
      spec: { replicas: number; template: { spec: { tolerations: unknown[] } } };
    };
    this.#generation += 1;
    this.#tolerations = spec.template.spec.tolerations;
    this.#pods = Array.from({ length: spec.replicas }, () => this.#newPod());
    this.#spread();
  }

  /** A pod that is evicted comes up on another node. */
  evict(name: string): void {
    const pod = this.#pods.find(({ uid }) => nameOf(uid) === name);
    const taken = this.#pods.map(({ node }) => node);
    const free = this.cluster.readyNodes().find((node) => !taken.includes(node));
    if (pod !== undefined) Object.assign(pod, { ...this.#newPod(), node: free });
  }

  pods(): ApiObject[] {
    this.#schedule();
    return this.#pods.map(({ uid, node }) => ({
      kind: 'Pod',
      metadata: { name: nameOf(uid), namespace: 'kube-system', uid, labels: { 'k8s-app': 'kube-dns' } },
      spec: { nodeName: node },
      status: { conditions: [{ type: 'Ready', status: node === undefined ? 'False' : 'True' }] },
    }));
  }

  deployments(): ApiObject[] {
    if (this.#generation === 0) return [];
    this.#schedule();
    const replicas = this.#pods.length;
    const ready = this.#pods.filter(({ node }) => node !== undefined).length;
    return [
      {
        kind: 'Deployment',
        metadata: {
          name: 'coredns',
          namespace: 'kube-system',
          resourceVersion: String(this.#generation),
          generation: this.#generation,
        },
        spec: { replicas, template: { spec: { tolerations: this.#tolerations } } },
        status: {
          observedGeneration: this.#generation,
          updatedReplicas: replicas,
          readyReplicas: ready,
          replicas,
        },
      },
    ];
  }

  #newPod(): Pod {
    this.#count += 1;
    return { uid: `dns-${this.#count}`, node: undefined };
  }

  /** The first node that is Ready gets all that wait, as in a cluster that begins with one. */
  #schedule(): void {
    const [first] = this.cluster.readyNodes();
    for (const pod of this.#pods) pod.node ??= first;
  }

  #spread(): void {
    const nodes = this.cluster.readyNodes();
    for (const [index, pod] of this.#pods.entries()) pod.node = nodes[index % nodes.length];
  }
}

function nameOf(uid: string): string {
  return `coredns-${uid}`;
}
