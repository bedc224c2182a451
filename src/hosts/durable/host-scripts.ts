import { assign, bash } from '../shell.js';
import { RUNTIME_DIRECTORY, UNITS_DIRECTORY } from './names.js';
import { START } from './start-script.js';
import { LIBRARY } from './state-script.js';
import { END, MAIN } from './unit-scripts.js';

/** At most this much of what was printed before is sent to whoever attaches to a run that somebody else began. */
const REPLAYED_BYTES = 65_536;

/**
 * Follows a run: polls, with shell builtins only, for the byte after the last one; ends when the client closes its
 * side. The result counts as delivered when the client says so, not when it was sent.
 */
const FOLLOW = bash`
report_end() {
  end_result='' end_code='' end_status='' end_ended=0 end_shutdown=no
  record "$rundir/end" end
  if [ "$end_shutdown" = yes ]; then say rebooted; return; fi
  say end "$end_result" "$end_code" "$end_status" "$start_started" "$end_ended"
}

follow() {
  local offset=$1 tick=0 delay=0.02 finished= unsure=0 line= byte= pid=
  exec 3<"$rundir/output"
  dd bs=1 skip="$offset" count=0 status=none <&3
  while :; do
    if [ -f "$rundir/end" ]; then finished=yes; fi
    if IFS= read -r -N 1 -u 3 byte; then printf %s "$byte"; cat <&3; fi
    [ -z "$finished" ] || break
    tick=$((tick + 1))
    case $tick in 5) delay=0.05 ;; 15) delay=0.1 ;; 25) delay=0.2 ;; esac
    # The process is looked for at each turn, which costs nothing; systemd is asked when it is gone, or now and then.
    [ -n "$pid" ] || { read -r pid <"$rundir/pid"; } 2>/dev/null
    if { [ -n "$pid" ] && [ ! -d "/proc/$pid" ]; } || [ $((tick % 50)) = 0 ]; then
      settle_activity
      if [ "$activity" != active ] && [ ! -f "$rundir/end" ]; then
        if [ "$activity" = inactive ]; then say lost; break; fi
        unsure=$((unsure + 1))
        if [ $unsure -ge 2 ]; then say unknown 'systemd does not answer'; return 0; fi
      else unsure=0; fi
    fi
    IFS= read -r -t $delay line
    [ $? -gt 128 ] || return 0
  done
  if [ -n "$finished" ]; then report_end; fi
  IFS= read -r -t 60 line && [ "$line" = delivered ] || return 0
  exec 8>>"$dir/lock"; flock 8
  archive "$run"
}

follow_current() {
  local size offset=0
  # Whoever began it has seen nothing yet, however fast it prints.
  if [ "$1" != started ]; then
    size=$(stat -c %s "$rundir/output")
    [ "$size" -le ${REPLAYED_BYTES} ] || offset=$((size - ${REPLAYED_BYTES}))
  fi
  say run "$1" "$run" "$offset"
  unlock_unit
  follow "$offset"
}
`;

/** `start` starts where nothing runs; `look` only says so, before anything is minted; `resume` goes on with a run. */
const ATTEND = bash`
if [ "$mode" = resume ]; then
  rundir=$dir/$run start_started=0
  [ -f "$rundir/start" ] || { say lost; exit 0; }
  record "$rundir/start" start
  [ "$start_boot" = "$boot" ] || [ -f "$rundir/end" ] || { exec 8>>"$dir/lock"; flock 8; archive "$run"; say rebooted; exit 0; }
  say run resumed "$run" "$offset"
  follow "$offset"
  exit 0
fi
if [ "$mode" = start ]; then
  spool
  case $? in
    0) ;;
    124) say late; exit 0 ;;
    *) say failed 'the command did not arrive whole, or there is no space for it'; exit 0 ;;
  esac
fi
lock_unit
find_state
# A success counts for whoever asks, for what it did is done; a failure for the attempt that began it, and for no try of
# another day. One that was stopped, or of other work, answers nobody.
answers() {
  [ ! -f "$rundir/stopped" ] && [ "$start_hash" = "$hash" ] || return 1
  [ "$end_result $end_code $end_status" = 'success exited 0' ] || [ "$start_attempt" = "$attempt" ]
}
case $state in
  running) follow_current running; exit 0 ;;
  ended)
    if answers; then follow_current ended; exit 0; fi
    archive "$run" ;;
  unknown) say unknown 'systemd does not answer'; exit 0 ;;
  lost | rebooted) archive "$run"; rm -rf -- "${RUNTIME_DIRECTORY}/$unit"; say "$state"; exit 0 ;;
esac
if [ "$mode" = look ]; then say none; exit 0; fi
start_unit || exit 0
follow_current started
`;

const STOP = bash`
# 0 when it was stopped, 1 when it did not run, 2 when that cannot be told or it did not obey.
stop_unit() {
  dir=${UNITS_DIRECTORY}/$unit
  lock_unit
  find_state
  unlock_unit
  [ "$state" != unknown ] || return 2
  [ "$state" = running ] || return 1
  # Whoever asks next gets a new run, not the end of this one.
  : >"$rundir/stopped" || return 2
  systemctl stop "$unit.service" && return 0
  # It may have ended by itself in between.
  find_state
  case $state in running | unknown) return 2 ;; esac
}

stopped=0 unsure=0
for link in ${UNITS_DIRECTORY}/*/current; do
  start_id=
  [ ! -f "$link/start" ] || record "$link/start" start
  case $start_id in
    "$wanted" | "$prefix"*)
      unit=\${link%/current} unit=\${unit##*/}
      stop_unit
      case $? in 0) stopped=$((stopped + 1)) ;; 2) unsure=$((unsure + 1)) ;; esac ;;
  esac
done
echo "$stopped $unsure"
`;

export interface AttendParameters {
  unit: string;
  id: string;
  hash: string;
  attempt: string;
  seconds: number;
}

/** Script that starts a unit or attaches to it, then follows it; see `ATTEND` for the modes. */
export function attendScript(
  parameters: AttendParameters,
  mode: { mode: 'look' } | { mode: 'start'; payload: number } | { mode: 'resume'; run: string; offset: number },
): string {
  const unitScripts = { main: MAIN, end: END };
  const values = { ...parameters, ...mode, ...(mode.mode === 'start' ? unitScripts : undefined) };
  return assign(values as Record<string, string | number>) + LIBRARY + START + FOLLOW + ATTEND;
}

/**
 * Script that ends running units and prints how many, and of how many that could not be told: the one of an id, or all
 * whose id begins with a prefix. Ids are looked up in the start records, because a unit's name does not give its id back.
 */
export function stopScript(what: { id: string } | { prefix: string }): string {
  // A pattern that matches nothing: no id is empty, and none holds this character.
  const none = '\u0001';
  const parameters = 'id' in what ? { wanted: what.id, prefix: none } : { wanted: none, prefix: what.prefix };
  return assign({ unit: '', ...parameters }) + LIBRARY + STOP;
}
