import { BOUNDS } from '../../../plan/etcd-trend.js';

/** Metrics of a member's disk and of its leaders, in the order of a counter sample; histograms count all that is below a bound. */
const FSYNCS = 'etcd_disk_wal_fsync_duration_seconds_bucket';
const COMMITS = 'etcd_disk_backend_commit_duration_seconds_bucket';

export const STARTED = 'process_start_time_seconds';
export const LEADER_CHANGES = 'etcd_server_leader_changes_seen_total';

/** Each with the bound above which they are slow; all of them are below the infinite one. */
export const BUCKETS = {
  fsyncs: upTo(FSYNCS, '+Inf'),
  quickFsyncs: upTo(FSYNCS, BOUNDS.slowFsync),
  movingFsyncs: upTo(FSYNCS, BOUNDS.stuckFsync),
  commits: upTo(COMMITS, '+Inf'),
  quickCommits: upTo(COMMITS, BOUNDS.slowCommit),
} as const;

/** All that is asked for. */
export const LATENCY_METRICS: readonly string[] = [...Object.values(BUCKETS), LEADER_CHANGES, STARTED];

function upTo(histogram: string, bound: string): string {
  return `${histogram}{le="${bound}"}`;
}
