/** What the pods read, and their manifests as they are handed to the kubelet. A folder of Kubewright's own. */
export const DIRECTORY = '/etc/kubewright/load-balancer';

/** Where the manifest of a pod lies before the kubelet gets it. */
export function manifestPath(pod: string): string {
  return `${DIRECTORY}/${pod}.yaml`;
}
