import { API_SERVER_PORT } from '../render/kubeadm-paths.js';

/** What cluster.yaml says of a component whose ports it may move. */
interface Settings {
  kubernetes: { kubelet: { config: Record<string, unknown> }; kubeProxy: { config: Record<string, unknown> } };
}

/** TCP ports that the file may move, at their defaults or where it moved them; 0 where nothing listens. */
export interface ChosenPorts {
  /** KubeletConfiguration: port, healthzPort and readOnlyPort. */
  kubelet: number;
  kubeletHealth: number;
  kubeletReadOnly: number;
  /** KubeProxyConfiguration: metricsBindAddress and healthzBindAddress. */
  kubeProxyMetrics: number;
  kubeProxyHealth: number;
}

/** The one place that reads them: the checks of the file, of the hosts' ports and of the ways between hosts all follow. */
export function chosenPorts({ kubernetes }: Settings): ChosenPorts {
  const { kubelet, kubeProxy } = kubernetes;
  return {
    kubelet: asPort(kubelet.config.port, 10_250),
    kubeletHealth: asPort(kubelet.config.healthzPort, 10_248),
    kubeletReadOnly: asPort(kubelet.config.readOnlyPort, 0),
    kubeProxyMetrics: asPort(kubeProxy.config.metricsBindAddress, 10_249),
    kubeProxyHealth: asPort(kubeProxy.config.healthzBindAddress, 10_256),
  };
}

/** Port that every API server listens on; what clients ask is `spec.endpoint.port`. */
export function apiServerPort({ kubernetes }: { kubernetes: { apiServer: { port?: number | undefined } } }): number {
  return kubernetes.apiServer.port ?? API_SERVER_PORT;
}

/** The port in `10250` or `"0.0.0.0:10249"`; 0 means that nothing listens. */
function asPort(value: unknown, fallback: number): number {
  if (typeof value === 'number') return value;
  const port = typeof value === 'string' ? /:(\d+)$/.exec(value)?.[1] : undefined;
  return port === undefined ? fallback : Number(port);
}
