import type { ClusterStatus } from '../../engine/index.js';
import type { ClusterState } from '../json/status.js';

/**
 * How a cluster stands as a whole, in a word. An operation that has not ended well comes first: what a check finds meanwhile may be its
 * doing. A drill leaves everything as it was, so what went wrong with one counts until a later check finds nothing. A cluster that nobody has
 * checked yet, and that nobody has scheduled checks for, counts by its last operation alone. Pure.
 */
export function stateOf({ run, health, unread, drill, drills }: ClusterStatus): ClusterState {
  if (run?.status === 'running') return run.progress.blocked.length > 0 ? 'blocked' : 'running';
  const foundWellAt = health.report?.verdict === 'ok' ? health.report.at : 0;
  const isSettled = run?.operation === 'drill' && (run.closedAt ?? Number.POSITIVE_INFINITY) < foundWellAt;
  if (run !== undefined && run.status !== 'completed' && !isSettled) return 'amiss';
  if (drill?.problems !== undefined && drill.at >= foundWellAt) return 'amiss';
  const isUnread = unread.operation !== undefined || health.unread !== undefined;
  const isIll = health.report !== undefined && health.report.verdict !== 'ok';
  const isSilent = health.silentSince !== undefined || drills?.silentSince !== undefined;
  if (isUnread || isIll || isSilent) return 'amiss';
  return (run?.result?.unreachable ?? []).length > 0 ? 'incomplete' : 'well';
}
