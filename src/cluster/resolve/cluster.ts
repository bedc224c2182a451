import { resolve as resolvePath } from 'node:path';
import { DEFAULTS, defaultVirtualRouterId } from '../defaults.js';
import type { ClusterFile } from '../schema/file.js';
import type { Cluster, ExtraArg, KubeadmPatch, OverruledCheck } from '../types.js';
import { type ClusterDraft, type Draft, INVALID, inner, pick, type Sketch } from './draft.js';
import { resolveHost } from './host.js';

export interface Surroundings {
  /** Relative paths in the file start here. */
  directory: string;
  /** What was read from `patchesDirectory`. */
  patches: KubeadmPatch[];
}

/**
 * Fills in every default and resolves relative paths. From a file without errors the result is a whole {@link Cluster};
 * from any other one it is as much of it as can be known, for the cross-checks.
 */
export function resolveCluster(file: ClusterDraft, surroundings: Surroundings): Sketch<Cluster> {
  const spec = inner(file, 'spec');
  const path = (written: string): string => absolute(written, surroundings.directory);
  const hosts = (pick(spec, 'hosts', []) ?? []).map((host) => resolveHost(host, inner(spec, 'ssh'), path));
  const runtime = inner(spec, 'runtime');
  const network = inner(spec, 'network');
  const packages = inner(spec, 'packages');
  const etcd = inner(spec, 'etcd');
  const bundle = pick(packages, 'bundle', DEFAULTS.packages.bundle);
  const usesEtcdHosts = hosts.some((host) => host.role === 'etcd');
  return {
    name: pick(inner(file, 'metadata'), 'name', undefined),
    kubernetes: resolveKubernetes(spec, surroundings.patches),
    endpoint: resolveEndpoint(spec),
    loadBalancer: { type: pick(inner(spec, 'loadBalancer'), 'type', DEFAULTS.loadBalancer.type) },
    etcd: {
      topology: pick(etcd, 'topology', usesEtcdHosts ? 'external' : 'stacked'),
      extraArgs: resolveExtraArgs(etcd),
    },
    runtime: { type: pick(runtime, 'type', DEFAULTS.runtime.type), config: recordOf(pick(runtime, 'config', {})) },
    network: {
      plugin: pick(network, 'plugin', DEFAULTS.network.plugin),
      backend: { ...DEFAULTS.network.backend, ...recordOf(pick(network, 'backend', {})) },
    },
    packages: {
      source: pick(packages, 'source', DEFAULTS.packages.source),
      bundle: typeof bundle === 'string' ? path(bundle) : bundle,
      proxy: pick(packages, 'proxy', DEFAULTS.packages.proxy),
    },
    preflight: { ignore: (pick(inner(spec, 'preflight'), 'ignore', []) ?? []).map(resolveOverruled) },
    sysctls: mapText(recordOf(pick(spec, 'sysctls', {}))),
    hosts,
  };
}

type SpecDraft = ReturnType<typeof specOf>;
const specOf = (file: ClusterDraft) => inner(file, 'spec');

function resolveKubernetes(spec: SpecDraft, patches: KubeadmPatch[]): Sketch<Cluster>['kubernetes'] {
  const kubernetes = inner(spec, 'kubernetes');
  const kubelet = inner(kubernetes, 'kubelet');
  const defaults = DEFAULTS.kubernetes;
  return {
    version: pick(kubernetes, 'version', defaults.version)?.replace(/^v/, ''),
    podSubnet: pick(kubernetes, 'podSubnet', defaults.podSubnet),
    serviceSubnet: pick(kubernetes, 'serviceSubnet', defaults.serviceSubnet),
    dnsDomain: pick(kubernetes, 'dnsDomain', defaults.dnsDomain),
    certificateSANs: (pick(kubernetes, 'certificateSANs', []) ?? []).filter(isValid),
    apiServer: { extraArgs: resolveExtraArgs(inner(kubernetes, 'apiServer')) },
    controllerManager: { extraArgs: resolveExtraArgs(inner(kubernetes, 'controllerManager')) },
    scheduler: { extraArgs: resolveExtraArgs(inner(kubernetes, 'scheduler')) },
    kubelet: { config: recordOf(pick(kubelet, 'config', {})), extraArgs: resolveExtraArgs(kubelet) },
    kubeProxy: { config: recordOf(pick(inner(kubernetes, 'kubeProxy'), 'config', {})) },
    patches,
    ignorePreflightErrors: (pick(kubernetes, 'ignorePreflightErrors', []) ?? []).filter(isValid),
  };
}

function resolveEndpoint(spec: SpecDraft): Sketch<Cluster>['endpoint'] {
  const endpoint = inner(spec, 'endpoint');
  const vip = pick(endpoint, 'vip', undefined);
  const defaults = DEFAULTS.endpoint;
  return {
    vip,
    port: pick(endpoint, 'port', defaults.port),
    prefixLength: pick(endpoint, 'prefixLength', defaults.prefixLength),
    interface: pick(endpoint, 'interface', defaults.interface),
    virtualRouterId: pick(endpoint, 'virtualRouterId', vip === undefined ? undefined : defaultVirtualRouterId(vip)),
    advertIntervalMs: pick(endpoint, 'advertIntervalMs', defaults.advertIntervalMs),
  };
}

type OverruledDraft = Draft<NonNullable<NonNullable<ClusterFile['spec']['preflight']>['ignore']>[number]>;

function resolveOverruled(entry: OverruledDraft): Sketch<OverruledCheck> {
  const hosts = pick(entry, 'hosts', null);
  return {
    code: pick(entry, 'code', undefined),
    // A wrong name keeps its place, so that those behind it are told at theirs.
    hosts: hosts == null ? hosts : hosts.map((host) => (isValid(host) ? host : '')),
    reason: pick(entry, 'reason', undefined),
  };
}

/** Both ways to write flags become kubeadm's list; what stands in the file in order stays in order. */
function resolveExtraArgs(owner: { extraArgs?: unknown } | typeof INVALID | null): ExtraArg[] {
  const written = pick(owner, 'extraArgs', {});
  const pairs = Array.isArray(written)
    ? written.filter(isMap).map(({ name, value }) => [name, value])
    : Object.entries(recordOf(written));
  return pairs
    .filter(([name, value]) => typeof name === 'string' && value !== undefined && value !== INVALID)
    .map(([name, value]) => ({ name: String(name), value: String(value) }));
}

function absolute(path: string, directory: string): string {
  return path === '~' || path.startsWith('~/') ? path : resolvePath(directory, path);
}

/** A map without the entries that were wrong. */
function recordOf(map: unknown): Record<string, unknown> {
  return isMap(map) ? Object.fromEntries(Object.entries(map).filter(([, value]) => isValid(value))) : {};
}

function mapText(map: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, String(value)]));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isValid<T>(value: T): value is Exclude<T, typeof INVALID> {
  return value !== INVALID;
}
