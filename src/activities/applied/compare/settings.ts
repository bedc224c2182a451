import type { Cluster } from '../../../cluster/types.js';
import { kubeProxySettings } from '../../../components/kube-proxy/configuration.js';
import { DEFAULT_KUBE_PROXY_MODE, hasKubeProxy, kubeProxyMode } from '../../../components/kube-proxy/mode.js';
import { kubeletConfiguration } from '../../../render/kubelet-config.js';
import { below, type Found, shown } from '../difference.js';
import type { Applied, BegunWith, Settings } from '../types.js';
import { type SettingDifference, takenOut, unmet } from '../values.js';
import { compareArgs } from './config.js';
import type { Part } from './index.js';
import { one } from './one.js';

export const KUBELET_KEY = 'spec.kubernetes.kubelet.config';
const KUBE_PROXY_KEY = 'spec.kubernetes.kubeProxy.config';
const KUBE_PROXY_MODE_KEY = 'spec.kubernetes.kubeProxy.mode';
const KUBELET_ARGS_KEY = 'spec.kubernetes.kubelet.extraArgs';

/** The free maps: what is wanted must be so in the cluster, and what was taken out must be gone. */
export function compareSettings(cluster: Cluster, applied: Applied): Part {
  const { kubelet } = cluster.kubernetes;
  const begun = begunOf(cluster, applied);
  const parts = [
    compareMap(KUBELET_KEY, kubelet.config, applied.kubelet, begun?.kubelet),
    compareKubeProxy(cluster, applied, begun?.kubeProxy),
  ];
  const gone = begun?.kubeletArgs.filter(
    ({ name }) => name !== 'node-ip' && !kubelet.extraArgs.some((arg) => arg.name === name),
  );
  return {
    found: [...parts.flatMap(({ found }) => found), ...compareArgs(KUBELET_ARGS_KEY, [], gone ?? [])],
    unchecked: [...parts.flatMap(({ unchecked }) => unchecked), ...(begun === undefined ? [NOTHING_KEPT] : [])],
  };
}

const NOTHING_KEPT = `whether anything was taken out of ${KUBELET_KEY}, ${KUBELET_ARGS_KEY} or ${KUBE_PROXY_KEY}: no control plane keeps what the cluster was begun with`;

/**
 * What the free maps held when they were applied: the record tells, and tells it of whatever operation was the last; without
 * one, what init was begun with.
 */
function begunOf(cluster: Cluster, { begun, record }: Applied): BegunWith | undefined {
  if (record.answer.is === 'yes') {
    const { kubelet, kubeProxy } = record.answer.value.cluster.kubernetes;
    return { kubelet: kubelet.config, kubeProxy: kubeProxySettings(kubeProxy), kubeletArgs: kubelet.extraArgs };
  }
  return begun && { ...begun, kubelet: withoutOwn(cluster, begun.kubelet) };
}

function compareMap(key: string, wanted: Settings, applied: Settings | undefined, begun: Settings | undefined): Part {
  if (applied === undefined) return { found: [], unchecked: [`${key}: the cluster has no ConfigMap of it`] };
  return {
    found: [...unmet(applied, wanted), ...takenOut(begun ?? {}, wanted, applied)].map((one) => foundOf(key, one)),
    unchecked: [],
  };
}

/**
 * The mode is told at the key that the file has it at. One that is not written is the default: writing that out, or taking it
 * out, changes nothing. Whether there is a kube-proxy at all is told alone.
 */
function compareKubeProxy(
  cluster: Cluster,
  { config, kubeProxy: applied }: Applied,
  begun: Settings | undefined,
): Part {
  const section = cluster.kubernetes.kubeProxy;
  const there = applied && { ...applied, mode: applied.mode || DEFAULT_KUBE_PROXY_MODE };
  if (config !== undefined && (config.withoutKubeProxy || !hasKubeProxy(section))) {
    const mode = config.withoutKubeProxy ? 'none' : String(there?.mode ?? DEFAULT_KUBE_PROXY_MODE);
    return { found: one(KUBE_PROXY_MODE_KEY, mode, kubeProxyMode(section)), unchecked: [] };
  }
  const { mode: written, ...others } = begun ?? {};
  const before = written === DEFAULT_KUBE_PROXY_MODE ? others : begun;
  const { found, unchecked } = compareMap(KUBE_PROXY_KEY, kubeProxySettings(section), there, before);
  if (section.mode === undefined) return { found, unchecked };
  const moved = found.map((one) => (one.key === `${KUBE_PROXY_KEY}.mode` ? { ...one, key: KUBE_PROXY_MODE_KEY } : one));
  return { found: moved, unchecked };
}

export function foundOf(key: string, { path, applied, wanted }: SettingDifference): Found {
  return { key: below(key, path), applied: shown(applied), wanted: shown(wanted) };
}

/** Without what Kubewright itself sets on every kubelet; it cannot be taken out of the file. */
function withoutOwn(cluster: Cluster, begun: Settings): Settings {
  const own = kubeletConfiguration({
    ...cluster,
    kubernetes: { ...cluster.kubernetes, kubelet: { ...cluster.kubernetes.kubelet, config: {} } },
  });
  return Object.fromEntries(
    Object.entries(begun).filter(([key, value]) => !(key in own) || (own as Settings)[key] !== value),
  );
}
