import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { componentsOf, podNetworkOf, runtimeOf } from '../../../components/registry/plan.js';
import { runtimeWorkOf } from '../../../components/registry/work.js';
import { replacedFiles } from '../../../components/replaced.js';
import type { RemoteHost } from '../../../hosts/types.js';
import { kernelFeaturesFor } from '../../../render/modules.js';
import { gatherFacts } from '../../remote-facts.js';
import { type HostFacts, parseHostFacts } from './host-facts.js';
import { type HostQuestions, hostFactsScript } from './script.js';

export type { CardAddress, DiskFacts, FoundLeftover, HostFacts } from './host-facts.js';

/** Some hundred programs are started: a guest under emulation took more than half a minute with others beside it. */
const LOOK_MS = 180_000;

/**
 * Asks a host for everything the preflight wants to know: one round trip, nothing is changed.
 *
 * @throws KubewrightError KW455 (transient) when the answer did not come whole
 */
export async function gatherHostFacts(
  host: RemoteHost,
  questions: HostQuestions,
  signal: AbortSignal,
): Promise<HostFacts> {
  return parseHostFacts(
    await gatherFacts(host, hostFactsScript(questions), signal, { cutShort: 'KW455', timeoutMs: LOOK_MS }),
  );
}

/** What a host of this cluster is asked for beyond what every host is. */
export function questionsFor(cluster: Cluster, { role }: Pick<ClusterHost, 'role'>): HostQuestions {
  const { resolvConf } = cluster.kubernetes.kubelet.config;
  return {
    podSubnet: cluster.kubernetes.podSubnet,
    resolvConf: typeof resolvConf === 'string' && resolvConf.startsWith('/') ? resolvConf : undefined,
    features: kernelFeaturesFor(role, cluster),
    imageFolder: runtimeOf(cluster).imageFolder,
    cniConfiguration: podNetworkOf(cluster).cniConfiguration,
    services: componentsOf(cluster).flatMap(({ services }) => services),
    replaced: replacedFiles(cluster).map(({ path }) => path),
    runtimeFacts: runtimeWorkOf(cluster).hostFacts,
  };
}
