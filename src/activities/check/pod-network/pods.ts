import { stringify } from 'yaml';
import type { ClusterHost } from '../../../cluster/types.js';
import { CHECK_NAMESPACE } from '../../verify/dns-pods.js';

/** Marks the pods of these looks; its value is one look's own. */
export const POD_NETWORK_KEY = 'kubewright.dev/pod-network-check';

/** Above 1024, so that nobody in particular may listen there. */
export const POD_NETWORK_PORT = 8080;

/** The kubelet ends a pod by itself after so many seconds: a look whose host has died leaves nothing that runs. */
const LIFETIME_SECONDS = 180;

/** Labels that a policy can select the pods by. */
export function podLabels(check: string): Record<string, string> {
  return { [POD_NETWORK_KEY]: check, 'app.kubernetes.io/managed-by': 'kubewright' };
}

/** What the pod on a node answers to whoever asks it: another pod that has its address by mistake answers something else. */
export function answerOf(check: string, node: string): string {
  return `${check}.${node}`;
}

/**
 * A pod on each node that answers, and from inside of which the others are asked. It tells its name and does nothing else for anybody
 * (`--http-override`: agnhost's other paths run programs), has no rights on its node and no token of the API.
 *
 * @param image agnhost's name; never pulled, for it was imported on every node
 * @param check names this look
 */
export function renderReachPods(nodes: readonly ClusterHost[], image: string, check: string): string {
  const pods = nodes.map(({ name }) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `kubewright-${check}-${name}`, namespace: CHECK_NAMESPACE, labels: podLabels(check) },
    spec: {
      nodeName: name,
      restartPolicy: 'Always',
      activeDeadlineSeconds: LIFETIME_SECONDS,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      tolerations: [{ operator: 'Exists' }],
      securityContext: { runAsUser: 65_534, runAsGroup: 65_534, runAsNonRoot: true },
      containers: [
        {
          name: 'answer',
          image,
          imagePullPolicy: 'Never',
          args: [
            'netexec',
            `--http-port=${POD_NETWORK_PORT}`,
            '--udp-port=-1',
            `--http-override=/echo?msg=${answerOf(check, name)}`,
          ],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }));
  return pods.map((pod) => stringify(pod)).join('---\n');
}
