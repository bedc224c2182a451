import type { KubeProxySection } from './mode.js';

/**
 * What is set in KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1). In mode ipvs every host has the addresses of all
 * Services on a card of its own (kube-ipvs0): with strictARP it answers for none of them, nor for an address that another
 * host carries. Where the mode is written into `config` alone, nothing is added: so it was before there was a key for it.
 */
export function kubeProxySettings({ mode, config }: KubeProxySection): Record<string, unknown> {
  if (mode === undefined) return config;
  return { mode, ...config, ...(mode === 'ipvs' ? { ipvs: { strictARP: true, ...mapOf(config.ipvs) } } : {}) };
}

function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
