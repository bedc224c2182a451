import type { Cluster } from '../../../../src/cluster/types.js';
import type { ClusterStatus, RunSnapshot } from '../../../../src/engine/index.js';
import type { HealthFinding } from '../../../../src/plan/run.js';
import { alikeNodes, type Sight } from '../../../../src/plan/sight.js';
import type { HealthReport } from '../../../../src/workflows/reports.js';
import { clusterOf } from '../../cluster-fixture.js';
import { moment } from '../../commands/engine.js';
import { done } from '../snapshots.js';

/** When the last check of these clusters ended. */
export const AT = Date.UTC(2026, 2, 2, 9, 30);

/** A sight of a cluster in which all is as it was applied, but for the nodes that are named. */
export function sightOf(cluster: Cluster, unlike: Record<string, { ready?: boolean; kubelet?: string }> = {}): Sight {
  const kubelet = `v${cluster.kubernetes.version}`;
  const nodes = cluster.hosts.filter(({ role }) => role === 'control-plane' || role === 'worker');
  const seen = nodes.map(({ name }) => ({ name, ready: true, kubelet, ...unlike[name] }));
  return { virtualIpHolders: ['cp-1'], etcdLeader: 'cp-2', nodes: alikeNodes(seen) };
}

export function reportOf(cluster: Cluster, findings: HealthFinding[] = [], seen = sightOf(cluster)): HealthReport {
  const verdict = findings.length === 0 ? 'ok' : 'degraded';
  return { cluster: cluster.name, at: AT, verdict, looks: 9, findings, seen };
}

export function runOf(view = done(), rest: Partial<RunSnapshot> = {}): RunSnapshot {
  return moment(view, { status: 'completed', closedAt: AT - 3_600_000, ...rest });
}

/** All that can be known of a cluster that is well. */
export function wellKnown(
  cluster = clusterOf({ controlPlanes: 3, workers: 2 }),
  rest: Partial<ClusterStatus> = {},
): ClusterStatus {
  const applied = { from: 'record' as const, cluster, at: AT - 20_000, generation: 3, build: '0.2.0+0123456ab' };
  const schedule = { cluster: 'demo', everyMs: 300_000, paused: false, changedAt: 0, nextAt: AT + 280_000 };
  const health = { report: reportOf(cluster), schedule };
  return { cluster: cluster.name, run: runOf(), health, applied, unread: {}, ...rest };
}
