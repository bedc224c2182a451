import { stringify } from 'yaml';
import type { Cluster } from '../../cluster/types.js';
import { DNS_PATIENCE_SECONDS, DNS_POD } from './book.js';

const NAMESPACE = 'kube-system';

/** Everything that a drill makes in the cluster has this name; the ConfigMap is what is read and written. */
export const CONFIG_MAP = 'kubewright-drill';

/** How long the token lives: longer than any scenario. */
export const TOKEN_DURATION = '2h';

const metadata = {
  name: CONFIG_MAP,
  namespace: NAMESPACE,
  labels: { 'app.kubernetes.io/managed-by': 'kubewright' },
};

/**
 * What asks in the cluster, as a manifest: an account that may read and change one ConfigMap and nothing else, that ConfigMap, and a
 * pod on the host that asks.
 *
 * @param node where the pod runs
 * @param image that has a shell and nslookup; it is on every node and never pulled
 */
export function drillObjects({ kubernetes }: Cluster, node: string, image: string): string {
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { asked: 'never' } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [CONFIG_MAP], verbs: ['get', 'patch'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: CONFIG_MAP },
      subjects: [{ kind: 'ServiceAccount', name: CONFIG_MAP, namespace: NAMESPACE }],
    },
    dnsPod(kubernetes.dnsDomain, node, image),
  ];
  return objects.map((each) => stringify(each)).join('---\n');
}

/** Each question is a new one, from a new port, so that kube-proxy chooses anew among the pods of CoreDNS; the final dot saves search domains. */
function dnsPod(dnsDomain: string, node: string, image: string): object {
  const ask = `while :; do
  (if timeout ${DNS_PATIENCE_SECONDS} nslookup -type=a kubernetes.default.svc.${dnsDomain}. >/dev/null 2>&1; then echo told; else echo lost; fi) &
  sleep 0.1
done`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name: DNS_POD },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'ask', image, imagePullPolicy: 'Never', command: ['sh', '-c', ask] }],
    },
  };
}

/** What `drillObjects` makes, by kind and name: what is deleted, and looked for afterwards. */
const ALL = ['pod', 'rolebinding', 'role', 'configmap', 'serviceaccount'].map((kind) => `${kind}/${CONFIG_MAP}`);

/** Command that prints which of them are there. @param kubectl shell words, against a certain API server */
export const listObjects = (kubectl: string): string =>
  `${kubectl} -n ${NAMESPACE} get ${ALL.join(' ')} --ignore-not-found -o name`;

/** Command that deletes them. The pod has nothing to end in order. @param kubectl shell words */
export const deleteObjects = (kubectl: string): string =>
  `${kubectl} -n ${NAMESPACE} delete ${ALL.join(' ')} --ignore-not-found --grace-period=0 --force --wait=true`;

/** Command that deletes the pod alone. @param kubectl shell words */
export const deletePod = (kubectl: string): string =>
  `${kubectl} -n ${NAMESPACE} delete pod/${DNS_POD} --ignore-not-found --grace-period=0 --force --wait=true`;

/**
 * Bash for a control plane: makes them anew from a manifest on standard input, and prints a token.
 *
 * @param kubectl shell words, against a certain API server
 */
export function makeObjects(kubectl: string): string {
  return `set -e
${deleteObjects(kubectl)} >/dev/null 2>&1 || true
${kubectl} apply -f - >/dev/null
for try in 1 2 3 4 5; do
  token=$(${kubectl} -n ${NAMESPACE} create token ${CONFIG_MAP} --duration=${TOKEN_DURATION}) && break
  sleep 1
done
[ -n "\${token-}" ]
printf %s "$token"
`;
}
