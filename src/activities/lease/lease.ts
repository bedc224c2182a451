import { KubewrightError } from '../../errors.js';
import { assign, bash } from '../../hosts/shell.js';

/** On each host, beside what its runs leave: it changes with every run, so it is no part of the ownership record's file. */
export const LEASE_PATH = '/var/lib/kubewright/lease';

/**
 * How long a host is held after the last thing that a run did there: an hour more than the longest step may take without
 * doing anything (a durable command of 60 minutes). A run that waits for a person longer than that holds it no more.
 */
export const LEASE_SECONDS = 2 * 3600;

/** Who changes a cluster: one run of one Temporal namespace. */
export interface Writer {
  /**
   * The namespace's own id, which its database was given: two embedded servers differ in it, workers of one server do not,
   * by whatever address they reach it. Within it Temporal grants that one run of a cluster is open.
   */
  namespaceId: string;
  workflowId: string;
  /** The one that it began with, which a Reset keeps: groups of hosts go on under the new run with what the old one told them. */
  runId: string;
  /** When the step's try was scheduled, by that Temporal server: of two runs of one namespace the later one has more. */
  order: number;
  /** Address and namespace, for people. */
  temporal: string;
  /** User and machine of the worker, for people. */
  by: string;
}

/** A lease as it stands on a host. Times are seconds since 1970, by the host's own clock. */
export interface Lease {
  /** `released`: its run has ended, or a person has taken the host from it. */
  state: 'held' | 'released';
  /** Namespace id and workflow id of who holds it: `Writer`'s. */
  holder: string;
  run: string;
  temporal: string;
  by: string;
  since: number;
  now: number;
  /** Seconds for which it still lives; 0 when its time is over. */
  left: number;
}

/** Whether a run is at work there, as far as the host knows. */
export function isLiving(lease: Lease): boolean {
  return lease.state === 'held' && lease.left > 0;
}

export function holderOf({ namespaceId, workflowId }: Pick<Writer, 'namespaceId' | 'workflowId'>): string {
  return `${namespaceId} ${workflowId}`;
}

/**
 * Bash: `lease_read` reads the lease into variables and fails where there is one that says nothing; without one `l_state` is
 * empty. `lease_show` prints them. `lease_write STATE` writes what the variables say, whole.
 *
 * How old it is the host tells by the time since it was started, which nobody sets; only a lease from before a reboot goes by
 * the clock.
 */
export const LEASE_LIBRARY = bash`lease=${LEASE_PATH}
l_now=$(date +%s)
read -r l_up _ </proc/uptime
l_up=\${l_up%%.*}
l_started=$(cat /proc/sys/kernel/random/boot_id)
lease_read() {
  local line said age
  l_state= l_holder= l_run= l_order=0 l_temporal= l_by= l_since=0 l_renewed=0 l_uptime=0 l_boot= l_seconds=0 l_ended= l_left=0
  if [ ! -e "$lease" ]; then
    # Told apart from a disk that cannot be read.
    said=$(cat -- "$lease" 2>&1 >/dev/null) && return 1
    [[ $said == *'No such file or directory' || $said == *'Not a directory' ]]
    return
  fi
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      state=*) l_state=\${line#*=} ;;
      holder=*) l_holder=\${line#*=} ;;
      run=*) l_run=\${line#*=} ;;
      order=*) l_order=\${line#*=} ;;
      temporal=*) l_temporal=\${line#*=} ;;
      by=*) l_by=\${line#*=} ;;
      since=*) l_since=\${line#*=} ;;
      renewed=*) l_renewed=\${line#*=} ;;
      uptime=*) l_uptime=\${line#*=} ;;
      boot=*) l_boot=\${line#*=} ;;
      seconds=*) l_seconds=\${line#*=} ;;
      ended=*) l_ended=\${line#*=} ;;
    esac
  done <"$lease" || return 1
  [[ $l_state == held || $l_state == released ]] && [[ -n $l_holder && -n $l_run ]] || return 1
  for line in "$l_order" "$l_since" "$l_renewed" "$l_uptime" "$l_seconds"; do [[ $line =~ ^[0-9]{1,18}$ ]] || return 1; done
  if [ "$l_boot" = "$l_started" ]; then age=$((l_up - l_uptime)); else age=$((l_now - l_renewed)); fi
  l_left=$((l_seconds - (age > 0 ? age : 0)))
  [ "$l_left" -gt 0 ] || l_left=0
}
lease_show() {
  [ -n "$l_state" ] || return 0
  printf '%s\n' "state=$l_state" "holder=$l_holder" "run=$l_run" "temporal=$l_temporal" "by=$l_by" "since=$l_since" "now=$l_now" "left=$l_left"
}
lease_lock() {
  (umask 077 && mkdir -p "$(dirname "$lease")") && exec 9>>"$lease.lock" && flock -w 20 9
}
lease_write() {
  local new
  new=$(mktemp "$lease.XXXXXXXX") || return 1
  printf '%s\n' "state=$1" "holder=$l_holder" "run=$l_run" "order=$l_order" "temporal=$l_temporal" "by=$l_by" "since=$l_since" \
    "renewed=$l_renewed" "uptime=$l_uptime" "boot=$l_boot" "seconds=$l_seconds" "ended=$l_ended" >"$new" &&
    sync "$new" && mv -f -- "$new" "$lease" || { rm -f -- "$new"; return 1; }
}
# The last runs that have lost a host: they get it no more.
lease_end() { l_ended=$(tr ' ' '\n' <<<"$l_ended $1" | grep . | tail -n 20 | tr '\n' ' '); l_ended=\${l_ended% }; }
`;

/** Said of a host whose lease cannot be read: `lease_read` has failed. */
const UNREADABLE = 'unreadable';

/**
 * What came of an attempt to take a host:
 * - `mine`: it is held, and was before, or nobody held it
 * - `expired`: it was taken from a run of another Temporal server whose time was over, and which may still be waiting
 * - `held`: another Temporal server's run is at work there
 * - `over`: this run has lost the host for good
 * - `earlier`: the step was scheduled before this namespace's run that is at work there, or before its own run ended
 */
export type Verdict = 'mine' | 'expired' | 'held' | 'over' | 'earlier' | typeof UNREADABLE;

/** Bash that takes a host, or renews the lease, and says what came of it: `verdict=…`, and whose the host was. */
export function takeScript(writer: Writer): string {
  const { runId: run, order, temporal, by } = writer;
  const words = { holder: holderOf(writer), run, order, temporal, by, seconds: LEASE_SECONDS };
  const values = Object.entries(words).map(([name, value]) => [name, printable(value)]);
  return `${assign(Object.fromEntries(values))}${LEASE_LIBRARY}${TAKE}`;
}

/** A lease is lines of text. */
function printable(value: string | number): string {
  return String(value).replaceAll(/[^\x20-\x7e]/g, '?');
}

const TAKE = bash`lease_lock || exit 1
lease_read || { echo verdict=${UNREADABLE}; exit 0; }
verdict=mine
if [[ " $l_ended " == *" $run "* ]]; then verdict=over
elif [ -z "$l_state" ]; then :
elif [ "$l_run" = "$run" ] && [ "$l_state" = held ]; then :
elif [ "$l_holder" = "$holder" ]; then [ "$order" -gt "$l_order" ] || verdict=earlier
elif [ "$l_state" = held ]; then [ "$l_left" -gt 0 ] && verdict=held || verdict=expired
fi
echo "verdict=$verdict"
lease_show
[ "$verdict" = mine ] || [ "$verdict" = expired ] || exit 0
[ "$l_state" != held ] || [ "$l_run" = "$run" ] || lease_end "$l_run"
[ "$l_run" = "$run" ] || l_since=$l_now
[ "$l_run" = "$run" ] && [ "$l_order" -gt "$order" ] || l_order=$order
l_holder=$holder l_run=$run l_temporal=$temporal l_by=$by l_renewed=$l_now l_uptime=$l_up l_boot=$l_started l_seconds=$seconds
lease_write held
`;

/** Bash that gives a host back which this namespace's runs of the cluster hold; prints `released` where one did. */
export function releaseScript(writer: Writer): string {
  return `${assign({ holder: printable(holderOf(writer)), order: writer.order })}${LEASE_LIBRARY}lease_lock || exit 1
lease_read || exit 0
[ "$l_state" = held ] && [ "$l_holder" = "$holder" ] || exit 0
# Whatever was scheduled before this has come too late; what a Reset of the run schedules has not.
[ "$l_order" -gt "$order" ] || l_order=$order
lease_write released && echo released
`;
}

/** Bash that takes a host from a run, for good; prints `released` where that run held it. */
export function takeAwayScript(run: string): string {
  return `${assign({ run })}${LEASE_LIBRARY}lease_lock || exit 1
lease_read || exit 0
[ "$l_state" = held ] && [ "$l_run" = "$run" ] || exit 0
lease_end "$run"
lease_write released && echo released
`;
}

/** What \`lease_show\` has printed, here or there among other lines; undefined when there is no lease. */
export function parseLease(lines: string[]): Lease | undefined {
  const values = new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
  const state = values.get('state');
  if (state !== 'held' && state !== 'released') return undefined;
  const text = (key: string): string => values.get(key) ?? '';
  const number = (key: string): number => Number(values.get(key) ?? 0);
  return {
    state,
    holder: text('holder'),
    run: text('run'),
    temporal: text('temporal'),
    by: text('by'),
    since: number('since'),
    now: number('now'),
    left: number('left'),
  };
}

/** Which run it is, for people. */
export function runOf({ run, holder, by, temporal }: Lease): string {
  const workflow = holder.slice(holder.indexOf(' ') + 1);
  return `run ${run} of ${workflow} (by ${by}, on the Temporal server ${temporal})`;
}

/** Since when it holds the host, and how long, by the host's clock. */
export function timesOf({ since, now, left }: Lease): string {
  return `since ${utc(since)} and until ${utc(now + left)} unless it goes on`;
}

function utc(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Why a run may not change a host that another one holds, and what a person can do. KW590. */
export function heldByAnother(lease: Lease): { what: string; hint: string } {
  return {
    what: `another run is changing it: ${runOf(lease)}, ${timesOf(lease)}`,
    hint: `One run at a time changes a cluster. Wait for that one's end, or end it there (\`kubewright abort\`), then retry. If its Temporal server is gone for good, \`kubewright unlock cluster.yaml ${lease.run}\` takes the hosts from it.`,
  };
}

/** What to do about a lease that says nothing. KW594. */
export const UNREADABLE_LEASE = {
  what: `which run is changing the host cannot be read from ${LEASE_PATH}`,
  hint: 'Look at the file. If no run of another Temporal server is at work on this cluster, remove it, then retry.',
};

/**
 * What a verdict means for a step that wants to change a host.
 *
 * @throws KubewrightError KW590 when another server's run holds it, KW591 when this run has lost it, KW594 when that cannot
 * be told
 */
export function requireHost(verdict: Verdict, lease: Lease | undefined, host: string): void {
  if (verdict === 'mine' || verdict === 'expired') return;
  if (verdict === 'held' && lease !== undefined) {
    const { what, hint } = heldByAnother(lease);
    throw new KubewrightError('KW590', what, { host, hint });
  }
  if (verdict === 'earlier' || verdict === 'over') throw lost(lease, host, verdict === 'earlier');
  throw new KubewrightError('KW594', UNREADABLE_LEASE.what, { host, hint: UNREADABLE_LEASE.hint });
}

/** What is earlier within a namespace is over; only a server whose clock was set back takes a later one for it. */
function lost(lease: Lease | undefined, host: string, transient: boolean): KubewrightError {
  const now = lease === undefined ? '' : `: the last one there was ${runOf(lease)}`;
  return new KubewrightError('KW591', `this run may not change the host any more${now}`, {
    host,
    transient,
    hint: 'Nothing was changed by this step. What was applied meanwhile may differ from the plan of this run: end it with `kubewright abort`, then install again.',
  });
}
