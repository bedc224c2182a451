import { resolve as resolvePath } from 'node:path';
import type { KubeProxyMode } from '../../components/kube-proxy/mode.js';
import {
  ARTIFACT_SOURCES,
  ETCD_RUNNERS,
  ETCDS,
  LOAD_BALANCERS,
  namespacesOf,
  POD_NETWORKS,
  RUNTIMES,
} from '../../components/registry/schema.js';
import { CHOSEN } from '../../components/registry/settings.js';
import type { ChoiceSchema, Surroundings as OfSection } from '../../components/schema-types.js';
import { API_SERVER_PORT } from '../../render/kubeadm-paths.js';
import { DEFAULTS } from '../defaults.js';
import { resolveHealth } from '../health/resolve.js';
import type { ClusterFile } from '../schema/file.js';
import { expand, withDerived } from '../security/expand.js';
import type { SecurityLines } from '../security/settings.js';
import type { Cluster, ExtraArg, KubeadmPatch, OverruledCheck } from '../types.js';
import { type ClusterDraft, type Draft, INVALID, inner, isMap, isValid, pick, recordOf, type Sketch } from './draft.js';
import { resolveHost } from './host.js';
import { resolveRegistry } from './registry.js';
import { resolveSecurity, settingsIn } from './security.js';
import { resolveFiles, resolveVolumes } from './volumes.js';

export interface Surroundings {
  /** Relative paths in the file start here. */
  directory: string;
  /** What was read from `patchesDirectory`. */
  patches: KubeadmPatch[];
  read: OfSection['read'];
  warn: OfSection['warn'];
}

/**
 * Fills in every default and resolves relative paths. From a file without errors the result is a whole {@link Cluster};
 * from any other one it is as much of it as can be known, for the cross-checks.
 */
export function resolveCluster(file: ClusterDraft, surroundings: Surroundings): Sketch<Cluster> {
  const spec = inner(file, 'spec');
  const path = (written: string): string => absolute(written, surroundings.directory);
  const packages = inner(spec, 'packages');
  const source = pick(packages, 'source', CHOSEN.packages.source) ?? CHOSEN.packages.source;
  const { programSource } = ARTIFACT_SOURCES[source];
  const around: OfSection = { path, read: surroundings.read, warn: surroundings.warn, programSource };
  const hosts = (pick(spec, 'hosts', []) ?? []).map((host) => resolveHost(host, inner(spec, 'ssh'), path));
  const etcd = inner(spec, 'etcd');
  const usesEtcdHosts = hosts.some((host) => host.role === 'etcd');
  const network = resolveChoice(POD_NETWORKS, 'plugin', CHOSEN.network.plugin, inner(spec, 'network'), around);
  const lines = resolveSecurity(spec, () => namespacesOf(network), surroundings.read);
  const cluster: Sketch<Cluster> = {
    name: pick(inner(file, 'metadata'), 'name', undefined),
    kubernetes: resolveKubernetes(spec, surroundings),
    endpoint: resolveEndpoint(spec),
    loadBalancer: resolveChoice(LOAD_BALANCERS, 'type', CHOSEN.loadBalancer.type, inner(spec, 'loadBalancer'), around),
    etcd: {
      // Each choice brings its own keys; which go together the file's types cannot say.
      ...resolveChoice(ETCDS, 'topology', usesEtcdHosts ? 'external' : 'stacked', etcd, around),
      ...resolveRunner(etcd, around),
      extraArgs: resolveExtraArgs(etcd),
    } as Sketch<Cluster>['etcd'],
    runtime: resolveChoice(RUNTIMES, 'type', CHOSEN.runtime.type, inner(spec, 'runtime'), around),
    network,
    packages: {
      ...resolveChoice(ARTIFACT_SOURCES, 'source', CHOSEN.packages.source, packages, around),
      proxy: pick(packages, 'proxy', DEFAULTS.packages.proxy),
      ...resolveRegistry(inner(packages, 'registry'), around),
    },
    preflight: { ignore: (pick(inner(spec, 'preflight'), 'ignore', []) ?? []).map(resolveOverruled) },
    ...resolveHealth(file, around),
    ...settingsIn(lines),
    sysctls: mapText(recordOf(pick(spec, 'sysctls', {}))),
    hosts,
  };
  return hardened(cluster, lines);
}

/** With what the lines of `security` set besides; what the file sets itself wins. */
function hardened(cluster: Sketch<Cluster>, lines: SecurityLines): Sketch<Cluster> {
  const { flags, kubelet, sysctls } = expand(lines);
  const { kubernetes, etcd } = cluster;
  const component = <C extends { extraArgs: Sketch<ExtraArg[]> }>(own: C, derived: ExtraArg[]): C => ({
    ...own,
    extraArgs: withDerived(own.extraArgs, derived),
  });
  return {
    ...cluster,
    kubernetes: {
      ...kubernetes,
      apiServer: component(kubernetes.apiServer, flags.apiServer),
      controllerManager: component(kubernetes.controllerManager, flags.controllerManager),
      scheduler: component(kubernetes.scheduler, flags.scheduler),
      kubelet: { ...kubernetes.kubelet, config: { ...kubelet, ...kubernetes.kubelet.config } },
    },
    etcd: component(etcd, flags.etcd),
    sysctls: { ...sysctls, ...cluster.sysctls },
  };
}

/** The usual runner leaves no key: a file without one comes to what it came to before there was a choice. */
function resolveRunner(etcd: Parameters<typeof resolveExtraArgs>[0], surroundings: OfSection) {
  const { runner, ...rest } = resolveChoice(ETCD_RUNNERS, 'runner', CHOSEN.etcd.runner, etcd, surroundings);
  return runner === CHOSEN.etcd.runner ? rest : { runner, ...rest };
}

type SpecDraft = ReturnType<typeof specOf>;
const specOf = (file: ClusterDraft) => inner(file, 'spec');

function resolveKubernetes(spec: SpecDraft, { patches, read }: Surroundings): Sketch<Cluster>['kubernetes'] {
  const kubernetes = inner(spec, 'kubernetes');
  const kubelet = inner(kubernetes, 'kubelet');
  const defaults = DEFAULTS.kubernetes;
  return {
    version: pick(kubernetes, 'version', defaults.version)?.replace(/^v/, ''),
    podSubnet: pick(kubernetes, 'podSubnet', defaults.podSubnet),
    serviceSubnet: pick(kubernetes, 'serviceSubnet', defaults.serviceSubnet),
    dnsDomain: pick(kubernetes, 'dnsDomain', defaults.dnsDomain),
    certificateSANs: (pick(kubernetes, 'certificateSANs', []) ?? []).filter(isValid),
    apiServer: resolveApiServer(inner(kubernetes, 'apiServer')),
    controllerManager: resolveComponent(inner(kubernetes, 'controllerManager')),
    scheduler: resolveComponent(inner(kubernetes, 'scheduler')),
    ...resolveFiles(pick(kubernetes, 'files', []), read),
    kubelet: { config: recordOf(pick(kubelet, 'config', {})), extraArgs: resolveExtraArgs(kubelet) },
    kubeProxy: resolveKubeProxy(inner(kubernetes, 'kubeProxy')),
    patches,
    ignorePreflightErrors: (pick(kubernetes, 'ignorePreflightErrors', []) ?? []).filter(isValid),
  };
}

type ComponentDraft = { extraArgs?: unknown; extraVolumes?: unknown } | typeof INVALID | null;

function resolveComponent(component: ComponentDraft): Sketch<Cluster>['kubernetes']['scheduler'] {
  return { extraArgs: resolveExtraArgs(component), ...resolveVolumes(component) };
}

type ApiServerDraft =
  | { extraArgs?: unknown; extraVolumes?: unknown; port?: number | typeof INVALID | undefined }
  | typeof INVALID
  | null;

/** The usual port is left out: a cluster that is there has the hash that it was begun with. */
function resolveApiServer(apiServer: ApiServerDraft): Sketch<Cluster>['kubernetes']['apiServer'] {
  const port = pick(apiServer, 'port', API_SERVER_PORT);
  const own = resolveComponent(apiServer);
  return port === API_SERVER_PORT ? own : { ...own, port };
}

type KubeProxyDraft = Draft<{ mode?: KubeProxyMode; config?: Record<string, unknown> | null }> | null;

/** A mode that is not written is left out, as the usual port is. */
function resolveKubeProxy(kubeProxy: KubeProxyDraft): Sketch<Cluster>['kubernetes']['kubeProxy'] {
  const mode = pick(kubeProxy, 'mode', undefined);
  const config = recordOf(pick(kubeProxy, 'config', {}));
  return mode === undefined ? { config } : { mode, config };
}

/** One of the choices: its name, and its own keys. */
type Resolved<Key extends string, Choices extends Record<string, ChoiceSchema>> = {
  [Name in keyof Choices]: { [K in Key]: Name | undefined } & ReturnType<Choices[Name]['resolve']>;
}[keyof Choices];

/** One section of a component: the choice, and its own keys as the choice fills them in. */
function resolveChoice<Key extends string, Choices extends Record<string, ChoiceSchema>>(
  choices: Choices,
  key: Key,
  chosen: keyof Choices & string,
  section: object | typeof INVALID | null,
  surroundings: OfSection,
): Resolved<Key, Choices> {
  const name = pick(section as { [K in Key]?: keyof Choices & string } | typeof INVALID | null, key, chosen);
  // Where the choice itself is wrong, the other keys are looked at as those of the usual one.
  const rest = choices[name ?? chosen]?.resolve(section, surroundings);
  return { [key]: name, ...rest } as Resolved<Key, Choices>;
}

function resolveEndpoint(spec: SpecDraft): Sketch<Cluster>['endpoint'] {
  const endpoint = inner(spec, 'endpoint');
  const type = pick(inner(spec, 'loadBalancer'), 'type', CHOSEN.loadBalancer.type) ?? CHOSEN.loadBalancer.type;
  const balancer = LOAD_BALANCERS[type];
  return { ...balancer.resolveEndpoint(endpoint), port: pick(endpoint, 'port', balancer.endpointPort) };
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

function mapText(map: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, String(value)]));
}
