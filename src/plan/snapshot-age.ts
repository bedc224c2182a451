import type { HealthFinding } from './run.js';

/** Snapshots of etcd on a host that was asked for them. */
export interface SeenSnapshot {
  /** The host that was asked. */
  host: string;
  /** Path of the newest one; missing where there is none. */
  file?: string;
  /** When it was written, by the worker's clock, milliseconds since the epoch; missing where there is none. */
  at?: number;
}

/** What `health.snapshots` asks of a check. */
export interface WantedSnapshots {
  /** Hosts that are asked for them. */
  hosts: string[];
  /** As the file names them, such as `/var/backups/etcd/*.db`. */
  files: string;
  /** Milliseconds. */
  maxAge: number;
}

const HINT =
  'See why none is made any more: the job that makes them (`systemctl list-timers`, `crontab -l`) and its log, and room where they lie. Without a snapshot nothing brings back a cluster that has lost its quorum for good. `etcdctl snapshot save FILE` makes one by hand; `health.snapshots` in the file says where they are looked for, and how old the newest may be.';

/**
 * Whether the newest snapshot of all hosts is too old, or there is none. Pure. Where a host did not say and no other one has a
 * snapshot that is new enough, nobody knows; what kept the host from saying is a finding of its own.
 *
 * @param now milliseconds since the epoch
 */
export function snapshotFindings(
  { hosts, files, maxAge }: WantedSnapshots,
  seen: readonly SeenSnapshot[],
  now: number,
): HealthFinding[] {
  const newest = newestOf(seen);
  if (newest !== undefined && now - newest.at <= maxAge) return [];
  const told = new Set(seen.map(({ host }) => host));
  if (hosts.some((host) => !told.has(host))) return [];
  const evidence =
    newest === undefined
      ? `there is no snapshot of etcd: no host has a file ${files} that is not empty (${listed(hosts)})`
      : `the newest snapshot of etcd is ${span(now - newest.at)} old, more than ${span(maxAge)}: ${newest.file} on ${newest.host}`;
  return [{ code: 'KW669', host: null, evidence, hint: HINT }];
}

/** The newest one of all hosts; undefined where none has one. Pure. */
export function newestOf(seen: readonly SeenSnapshot[]): Required<SeenSnapshot> | undefined {
  const all = seen.flatMap(({ host, file, at }) =>
    file === undefined || at === undefined ? [] : [{ host, file, at }],
  );
  return all.sort((a, b) => b.at - a.at)[0];
}

function listed(hosts: readonly string[]): string {
  return hosts.length <= 5 ? hosts.join(', ') : `${hosts.slice(0, 5).join(', ')} and ${hosts.length - 5} more`;
}

/** `3 min`, `26 h`, `12 days`. */
function span(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 72 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} days`;
}
