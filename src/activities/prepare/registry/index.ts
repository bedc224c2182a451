import { missingImages } from '../../../bundle/bundle.js';
import { mirrored, type RegistrySettings } from '../../../cluster/private-registry.js';
import { isNode } from '../../../cluster/roles.js';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { runsContainers, runtimeOf } from '../../../components/registry/plan.js';
import { imageQuery, workOf } from '../../../components/registry/work.js';
import { isKubewrightError } from '../../../errors.js';
import { anyBundleFor, artifactsFor } from '../../artifacts.js';
import { onEachHost } from '../../each-host.js';
import { registryAuthorization } from '../../registry-login.js';
import { gatherFacts } from '../../remote-facts.js';
import type { StepContext } from '../../types.js';
import type { Problem } from '../checks/problem.js';
import { architectureOf } from '../target.js';
import { judge } from './judge.js';
import { manifestPath, registryScript } from './script.js';

/** The slowest answers of a registry, one after the other for each image. */
const LOOK_MS = 180_000;

/**
 * Asks the user's registry from every host that runs containers, as its runtime will: whether it answers, is trusted, takes the
 * login, and has the images that are going to be pulled. Behind a proxy nothing is asked: only the runtime goes through it.
 */
export async function lookAtRegistry(context: StepContext): Promise<Problem[]> {
  const { cluster } = context;
  const { registry, proxy } = cluster.packages;
  if (registry === undefined || proxy !== null) return [];
  try {
    const authorization = registryAuthorization(registry);
    const pulling = cluster.hosts.filter(({ role }) => runsContainers(cluster, role));
    const found = await onEachHost(pulling, (host) => askFrom(context, host, registry, authorization));
    return found.flat();
  } catch (error) {
    if (!isKubewrightError(error) || error.code !== 'KW368') throw error;
    return [{ code: error.code, what: error.message, hint: error.hint ?? '', hosts: [] }];
  }
}

async function askFrom(
  { cluster, hostNamed, signal }: StepContext,
  host: ClusterHost,
  registry: RegistrySettings,
  authorization: string | undefined,
): Promise<Problem[]> {
  const remote = hostNamed(host.name);
  const machine = (await remote.run('uname -m\n', { signal })).stdout.trim();
  const script = registryScript(registry, await pulledImages(cluster, host, registry, machine));
  const input = `${authorization ?? ''}\n`;
  return judge(await gatherFacts(remote, script, signal, { timeoutMs: LOOK_MS, input }), {
    registry,
    host: host.name,
    hasLogin: authorization !== undefined,
    takesTokens: runtimeOf(cluster).takesTokens,
  });
}

/** Images that a host is going to pull, and where their manifests lie; what travels from the worker only where the file says so. */
async function pulledImages(
  cluster: Cluster,
  host: ClusterHost,
  registry: RegistrySettings,
  machine: string,
): Promise<Map<string, string>> {
  const architecture = architectureOf(machine) ?? '';
  const artifacts = await artifactsFor(cluster, architecture).catch(() => undefined);
  // What is wrong with them, the host's own check tells.
  if (artifacts === undefined) return new Map();
  const brought = [
    ...artifacts.images(host.role, imageQuery(cluster)),
    ...(isNode(host.role) ? artifacts.checkImages() : []),
  ];
  const names = brought
    .filter(({ archive }) => archive === undefined || registry.images === 'all')
    .flatMap((image) => image.names);
  const lacking = isNode(host.role) ? await lackingImages(cluster, architecture) : [];
  const places = [...new Set([...names, ...lacking])].flatMap((name) => {
    const place = mirrored(registry, name);
    return place === undefined ? [] : [[name, manifestPath(place)] as const];
  });
  return new Map(places);
}

/** Images that choices run besides, and that no bundle has. */
async function lackingImages(cluster: Cluster, architecture: string): Promise<string[]> {
  const wanted = workOf(cluster).flatMap((work) => work.images(cluster));
  const bundle = await anyBundleFor(cluster, architecture);
  return bundle === undefined ? wanted : missingImages(bundle, wanted);
}
