export const CRICTL_CONFIG_PATH = '/etc/crictl.yaml';

/**
 * `/etc/crictl.yaml`: without it crictl tries one socket after the other and warns.
 *
 * @param socket such as `unix:///run/containerd/containerd.sock`
 */
export function renderCrictlConfig(socket: string): string {
  return `# Written by Kubewright.\nruntime-endpoint: ${socket}\nimage-endpoint: ${socket}\n`;
}
