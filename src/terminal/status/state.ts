import type { ClusterStatus } from '../../engine/index.js';
import type { ClusterState } from '../json/status.js';

/**
 * How a cluster stands as a whole, in a word. An operation that has not ended well comes first: what a check finds meanwhile may be its
 * doing. A cluster that nobody has checked yet, and that nobody has scheduled checks for, counts by its last operation alone. Pure.
 */
export function stateOf({ run, health, unread }: ClusterStatus): ClusterState {
  if (run?.status === 'running') return run.progress.blocked.length > 0 ? 'blocked' : 'running';
  if (run !== undefined && run.status !== 'completed') return 'amiss';
  const isUnread = unread.operation !== undefined || health.unread !== undefined;
  const isIll = health.report !== undefined && health.report.verdict !== 'ok';
  if (isUnread || isIll || health.silentSince !== undefined) return 'amiss';
  return (run?.result?.unreachable ?? []).length > 0 ? 'incomplete' : 'well';
}
