import type { HealthFinding } from '../../plan/run.js';
import type { ReadyControlPlane } from '../kubeadm/control-plane.js';
import type { StepContext } from '../types.js';
import { leastHostsOf, lookAtCoreDns } from '../verify/core-dns.js';

const HINT =
  '`kubewright install` with the applied cluster.yaml spreads it again. `kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide` shows where it runs.';

/**
 * CoreDNS runs on two hosts, where there are two to take it: behind a failure its pods may come up together, nobody moves them apart, and
 * the next host that is lost takes every name with it. Nothing is said while its pods are on their way, nor of a DNS that is not CoreDNS:
 * whether names are resolved is another look.
 *
 * @param nodes how many nodes are Ready
 */
export async function coreDnsFindings(
  context: StepContext,
  via: ReadyControlPlane,
  nodes: number,
): Promise<HealthFinding[]> {
  const state = await lookAtCoreDns(context, via);
  if (state.is === 'no') return [];
  if (state.is === 'unknown') {
    const evidence = `it is not known where CoreDNS runs: ${state.why.trim().split('\n').at(-1)}`;
    return [{ code: 'KW602', host: null, evidence, hint: HINT }];
  }
  const { pending, settled, hosts } = state.value;
  const [reason] = pending;
  const finding = (evidence: string): HealthFinding => ({ code: 'KW484', host: null, evidence, hint: HINT });
  if (reason !== undefined) return [finding(`a pod of CoreDNS is not scheduled: ${reason}`)];
  if (!settled || hosts.length >= leastHostsOf(nodes)) return [];
  return [finding(`CoreDNS runs on ${hosts.join(', ')} only: without that host no name of the cluster is resolved`)];
}
