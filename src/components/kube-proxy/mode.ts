/** How Services are carried: by what kube-proxy writes into each node's kernel, or, with `none`, by the pod network without it. */
export type KubeProxyMode = 'iptables' | 'nftables' | 'ipvs' | 'none';

/** All of them, as cluster.yaml names them. */
export const SERVICE_MODES = ['iptables', 'nftables', 'ipvs', 'none'] as const satisfies readonly KubeProxyMode[];

/** Those that kube-proxy itself has. */
export const KUBE_PROXY_MODES = ['iptables', 'nftables', 'ipvs'] as const satisfies readonly KubeProxyMode[];

/** What kube-proxy does where the file does not say. */
export const DEFAULT_KUBE_PROXY_MODE: KubeProxyMode = 'iptables';

/** What cluster.yaml says of kube-proxy; of a file with errors as much as is known. */
export interface KubeProxySection {
  mode?: KubeProxyMode | undefined;
  config: Record<string, unknown>;
}

/** The mode that kube-proxy runs in: by `mode`, by KubeProxyConfiguration, or its own default. May be one that is not known. */
export function kubeProxyMode({ mode, config }: KubeProxySection): string {
  if (mode !== undefined) return mode;
  const written = config.mode;
  return typeof written === 'string' && written !== '' ? written : DEFAULT_KUBE_PROXY_MODE;
}

/** Whether KubeProxyConfiguration may have it. */
export function isKubeProxyMode(name: unknown): name is (typeof KUBE_PROXY_MODES)[number] {
  return KUBE_PROXY_MODES.some((known) => known === name);
}

export function hasKubeProxy(section: KubeProxySection): boolean {
  return section.mode !== 'none';
}
