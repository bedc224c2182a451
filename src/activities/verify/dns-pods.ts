import { stringify } from 'yaml';
import type { Cluster, ClusterHost } from '../../cluster/types.js';

export const CHECK_NAMESPACE = 'kube-system';
/** Marks what checks made, so that the next one finds what an interrupted one left; its value is one check's own. */
export const CHECK_KEY = 'kubewright.dev/check';

/**
 * One pod on each node that resolves the API's service name and connects to it: through the node's own kube-proxy, pod
 * network and the cluster's DNS. `agnhost connect` exits 0 only when both went well.
 *
 * The name ends in a dot, so that it is asked once and not with every search domain; and there is time for a second question
 * (Go's resolver waits five seconds for an answer): else one lost datagram ends the container, which the kubelet starts again
 * after ten seconds, then twenty.
 *
 * @param image agnhost's name in the bundle; never pulled, for it was imported on every node
 * @param key label that marks the pods, with the check's name as its value
 * @param check names this check: an earlier one, whose connection broke, may still run and take its own pods away
 */
export function renderDnsPods(
  cluster: Cluster,
  nodes: ClusterHost[],
  { image, check, key = CHECK_KEY }: { image: string; check: string; key?: string },
): string {
  const pods = nodes.map((node) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `kubewright-${check}-${node.name}`,
      namespace: CHECK_NAMESPACE,
      labels: { [key]: check, 'app.kubernetes.io/managed-by': 'kubewright' },
    },
    spec: {
      nodeName: node.name,
      restartPolicy: 'OnFailure',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'ask',
          image,
          imagePullPolicy: 'Never',
          args: ['connect', '--timeout=16s', `kubernetes.default.svc.${cluster.kubernetes.dnsDomain}.:443`],
        },
      ],
    },
  }));
  return pods.map((pod) => stringify(pod)).join('---\n');
}
