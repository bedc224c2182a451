/** What the pods read, and their manifests as they are handed to the kubelet. A folder of Kubewright's own. */
export const DIRECTORY = '/etc/kubewright/load-balancer';

/** The static pods, by their names in the cluster (without the node's) and of the programs in them. HAProxy first. */
export const PODS = ['haproxy', 'keepalived'] as const;
export type PodName = (typeof PODS)[number];

export const CONFIG_PATHS: Record<PodName, string> = {
  haproxy: `${DIRECTORY}/haproxy.cfg`,
  keepalived: `${DIRECTORY}/keepalived.conf`,
};

export const CHECK_SCRIPT_PATH = `${DIRECTORY}/check-haproxy`;

/** Where a manifest lies before the kubelet gets it. */
export function manifestPath(pod: PodName): string {
  return `${DIRECTORY}/${pod}.yaml`;
}
