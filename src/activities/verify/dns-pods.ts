import { stringify } from 'yaml';
import type { Cluster, ClusterHost } from '../../cluster/types.js';

export const CHECK_NAMESPACE = 'kube-system';
/** Marks what checks made, so that the next one finds what an interrupted one left; its value is one check's own. */
export const CHECK_KEY = 'kubewright.dev/check';

export interface DnsPods {
  /** agnhost's name in the bundle; never pulled, for it was imported on every node. */
  image: string;
  /** Names this check: an earlier one, whose connection broke, may still run and take its own pods away. */
  check: string;
  /** Label that marks the pods, with the check's name as its value. */
  key?: string;
  /** One more pod, which kube-scheduler places on one of the nodes. Default false. */
  scheduled?: boolean;
  /** What each pod runs in place of the question below. */
  command?: readonly string[];
}

/**
 * One pod on each node that resolves the API's service name and connects to it: through the node's own kube-proxy, pod
 * network and the cluster's DNS. `agnhost connect` exits 0 only when both went well.
 *
 * The name ends in a dot, so that it is asked once and not with every search domain; and there is time for a second question
 * (Go's resolver waits five seconds for an answer): else one lost datagram ends the container, which the kubelet starts again
 * after ten seconds, then twenty.
 */
export function renderDnsPods(
  cluster: Cluster,
  nodes: ClusterHost[],
  { image, check, key = CHECK_KEY, scheduled = false, command }: DnsPods,
): string {
  const onNode = (node: ClusterHost) => pod(`${check}-${node.name}`, { nodeName: node.name });
  const pod = (name: string, place: object) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `kubewright-${name}`,
      namespace: CHECK_NAMESPACE,
      labels: { [key]: check, 'app.kubernetes.io/managed-by': 'kubewright' },
    },
    spec: {
      ...place,
      restartPolicy: 'OnFailure',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'ask',
          image,
          imagePullPolicy: 'Never',
          ...(command === undefined
            ? { args: ['connect', '--timeout=16s', `kubernetes.default.svc.${cluster.kubernetes.dnsDomain}.:443`] }
            : { command: [...command] }),
        },
      ],
    },
  });
  // No name of a host begins with a dot.
  const pods = [...nodes.map(onNode), ...(scheduled ? [pod(`${check}.scheduled`, onAnyOf(nodes))] : [])];
  return pods.map((each) => stringify(each)).join('---\n');
}

/** So many nodes are offered to the scheduler: enough for some to have room, in a manifest that stays small. */
const OFFERED_NODES = 20;

/** Only nodes that are well: the pod tolerates every taint, also that of a node which is away. */
function onAnyOf(nodes: ClusterHost[]): object {
  // A term may name one node; one of the terms has to hold.
  const nodeSelectorTerms = nodes
    .slice(0, OFFERED_NODES)
    .map(({ name }) => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }));
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
}
