import { assign, bash } from '../shell.js';
import { RUNTIME_DIRECTORY, UNITS_DIRECTORY } from './names.js';
import { DETACHED, END, MAIN } from './unit-scripts.js';

/** `auto` takes systemd where it runs; `setsid` is the fallback, and can be asked for. */
export type UnitManager = 'auto' | 'systemd' | 'setsid';

/** Runs kept on the host for a look at them afterwards, a unit. */
const KEPT_RUNS = 5;

/** Added to a command's own limit for the time it may wait for the host's lock. */
const LOCK_WAIT_SECONDS = 3600;

/** At most this much of what was printed before is sent to whoever attaches anew. */
const REPLAYED_BYTES = 65_536;

/**
 * Layout: `$dir/runs/NAME/` with the records `start` and `end`, `output`, `pid` and the scripts; the link `$dir/current` names the run whose result was
 * not delivered yet. Whoever changes the link holds `$dir/lock`. Control lines go to stderr, output goes to stdout.
 */
const LIBRARY = bash`
dir=${UNITS_DIRECTORY}/$unit
umask 077
boot=$(</proc/sys/kernel/random/boot_id)
say() { printf 'kw %s\n' "$*" >&2; }

use_systemd() {
  [ "$manager" != setsid ] || return 1
  [ -d /run/systemd/system ] && command -v systemd-run >/dev/null
}

# Reads "name=value" lines of a record into variables with a prefix.
record() {
  local key value
  while IFS='=' read -r key value; do printf -v "$2_$key" %s "$value"; done <"$1"
}

unit_active() {
  if [ "$start_manager" = systemd ]; then
    case $(systemctl show -p ActiveState --value "$unit.service") in active | activating | deactivating | reloading) return 0 ;; esac
    return 1
  fi
  local pid
  { read -r pid <"$rundir/guardian"; } 2>/dev/null && [ -d "/proc/$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$rundir"
}

# none, running, ended, lost or rebooted. The unit is asked before the end record is looked for: it writes that first.
find_state() {
  state=none run=$(readlink "$dir/current" 2>/dev/null) || return 0
  rundir=$dir/$run start_boot='' start_manager=systemd start_hash='' start_started=0 start_attempt=''
  [ -f "$rundir/start" ] || return 0
  record "$rundir/start" start
  if [ "$start_boot" = "$boot" ] && unit_active; then state=running; return 0; fi
  if [ -f "$rundir/end" ]; then
    end_code='' end_shutdown=no
    record "$rundir/end" end
    state=ended
    # Killed because the host went down: that says nothing about the command.
    if [ "$end_shutdown" = yes ]; then state=rebooted; fi
  elif [ "$start_boot" != "$boot" ]; then state=rebooted
  else state=lost; fi
}

# Takes the run out of the way of the next one; it stays readable below runs/ until newer ones push it out.
archive() {
  [ "$(readlink "$dir/current" 2>/dev/null)" != "$1" ] || rm -f -- "$dir/current"
  local old
  ls -1 "$dir/runs" | head -n -${KEPT_RUNS} | while read -r old; do rm -rf -- "$dir/runs/$old"; done
}

lock_unit() { mkdir -p "$dir/runs" ${RUNTIME_DIRECTORY}; exec 8>>"$dir/lock"; flock 8; }
unlock_unit() { exec 8>&-; }
`;

/** Starts a unit: the record first, then the unit, whose name systemd grants once. */
const START = bash`
take() { head -c "$1" >"$2"; [ "$(stat -c %s "$2")" = "$1" ]; }

receive() {
  local size name
  mkdir -p "$rundir" && rm -rf -- "${RUNTIME_DIRECTORY}/$unit" && mkdir "${RUNTIME_DIRECTORY}/$unit" || return 1
  while read -r size name; do
    case $name in
      secret/*) take "$size" "${RUNTIME_DIRECTORY}/$unit/\${name#secret/}" || return 1 ;;
      .) return 0 ;;
      *) take "$size" "$rundir/$name" || return 1 ;;
    esac
  done
  return 1
}

launch() {
  if [ "$start_manager" = setsid ]; then
    setsid bash "$rundir/detached.sh" "$rundir" "$unit" "$seconds" </dev/null >/dev/null 2>&1 8>&- &
    printf '%s\n' "$!" >"$rundir/guardian"
    return 0
  fi
  local try
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    systemd-run --quiet --collect --unit="$unit" --description="Kubewright: $id" \
      --property=RuntimeMaxSec=$((seconds + ${LOCK_WAIT_SECONDS})) --property=TimeoutStopSec=10 \
      --property="ExecStopPost=/bin/bash $rundir/end.sh $rundir $unit" \
      /bin/bash "$rundir/main.sh" "$rundir" "$unit" "$seconds" 2>"$rundir/launch" && return 0
    # The name is still taken by the former run, which is about to leave; anything else is final.
    case $(systemctl show -p ActiveState --value "$unit.service") in active | activating) return 1 ;; esac
    grep -q 'already' "$rundir/launch" || return 1
    sleep 0.1
  done
  return 1
}

# Builtins where possible: a busy host pays for every process.
write_run() {
  receive && : >"$rundir/output" \
    && printf %s "$main" >"$rundir/main.sh" && printf %s "$end" >"$rundir/end.sh" && printf %s "$detached" >"$rundir/detached.sh" \
    && printf 'id=%s\nhash=%s\nboot=%s\nstarted=%s\nattempt=%s\nmanager=%s\n' "$id" "$hash" "$boot" "$start_started" "$attempt" "$start_manager" >"$rundir/start" \
    && ln -sfn "$run" "$dir/current.new" && mv -fT "$dir/current.new" "$dir/current" \
    && sync "$rundir/start" "$rundir" "$dir"
}

start_unit() {
  run=runs/$(date -u +%Y%m%dT%H%M%S.%N) start_started=$(date +%s%3N) start_manager=setsid
  rundir=$dir/$run
  if use_systemd; then start_manager=systemd; fi
  if ! write_run; then
    archive "$run"
    rm -rf -- "$rundir" "${RUNTIME_DIRECTORY}/$unit"
    say failed 'the command did not arrive whole, or there is no space for it'
    return 1
  fi
  if ! launch; then
    say failed "$(tail -n 3 "$rundir/launch" 2>/dev/null | tr '\n' ' ')"
    archive "$run"
    rm -rf -- "$rundir" "${RUNTIME_DIRECTORY}/$unit"
    return 1
  fi
}
`;

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
  local offset=$1 tick=0 delay=0.02 finished= gone=0 line= byte= pid=
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
      if ! unit_active && [ ! -f "$rundir/end" ]; then gone=$((gone + 1)); fi
      if [ $gone -ge 3 ]; then say lost; break; fi
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
  size=$(stat -c %s "$rundir/output")
  [ "$size" -le ${REPLAYED_BYTES} ] || offset=$((size - ${REPLAYED_BYTES}))
  say run "$1" "$run" "$offset"
  unlock_unit
  follow "$offset"
}
`;

/** `start` starts where nothing runs; `look` only says so, before anything is minted; `resume` goes on with a run. */
const ATTEND = bash`
if [ "$mode" = resume ]; then
  rundir=$dir/$run start_started=0 start_manager=systemd
  [ -f "$rundir/start" ] || { say lost; exit 0; }
  record "$rundir/start" start
  [ "$start_boot" = "$boot" ] || [ -f "$rundir/end" ] || { exec 8>>"$dir/lock"; flock 8; archive "$run"; say rebooted; exit 0; }
  say run resumed "$run" "$offset"
  follow "$offset"
  exit 0
fi
lock_unit
find_state
case $state in
  running) [ "$mode" = look ] || head -c "$payload" >/dev/null; follow_current running; exit 0 ;;
  ended)
    # A result counts for the attempt that began it, once. One that was stopped, or of other work, answers nobody.
    if [ ! -f "$rundir/stopped" ] && [ "$start_hash" = "$hash" ] && [ "$start_attempt" = "$attempt" ]; then
      [ "$mode" = look ] || head -c "$payload" >/dev/null
      follow_current ended
      exit 0
    fi
    archive "$run" ;;
  lost | rebooted) archive "$run"; rm -rf -- "${RUNTIME_DIRECTORY}/$unit"; say "$state"; exit 0 ;;
esac
if [ "$mode" = look ]; then say none; exit 0; fi
start_unit || exit 0
follow_current started
`;

const STOP = bash`
stop_unit() {
  dir=${UNITS_DIRECTORY}/$unit
  lock_unit
  find_state
  unlock_unit
  [ "$state" = running ] || return 1
  # Whoever asks next gets a new run, not the end of this one.
  : >"$rundir/stopped"
  if [ "$start_manager" = systemd ]; then
    systemctl stop "$unit.service"
    return 0
  fi
  local guardian try
  read -r guardian <"$rundir/guardian"
  pkill -TERM -s "$guardian"
  for ((try = 0; try < 100; try++)); do [ -d "/proc/$guardian" ] || return 0; sleep 0.1; done
  pkill -KILL -s "$guardian"
}

stopped=0
for link in ${UNITS_DIRECTORY}/*/current; do
  start_id=
  [ ! -f "$link/start" ] || record "$link/start" start
  case $start_id in
    "$wanted" | "$prefix"*)
      unit=\${link%/current} unit=\${unit##*/}
      if stop_unit; then stopped=$((stopped + 1)); fi ;;
  esac
done
echo "$stopped"
`;

export interface AttendParameters {
  unit: string;
  id: string;
  hash: string;
  attempt: string;
  seconds: number;
  manager: UnitManager;
}

/** Script that starts a unit or attaches to it, then follows it; see `ATTEND` for the modes. */
export function attendScript(
  parameters: AttendParameters,
  mode: { mode: 'look' } | { mode: 'start'; payload: number } | { mode: 'resume'; run: string; offset: number },
): string {
  const unitScripts = { main: MAIN, end: END, detached: DETACHED };
  const values = { ...parameters, ...mode, ...(mode.mode === 'start' ? unitScripts : undefined) };
  return assign(values as Record<string, string | number>) + LIBRARY + START + FOLLOW + ATTEND;
}

/**
 * Script that ends running units and prints how many: the one of an id, or all whose id begins with a prefix. Ids are
 * looked up in the start records, because a unit's name does not give its id back.
 */
export function stopScript(what: { id: string } | { prefix: string }): string {
  // A pattern that matches nothing: no id is empty, and none holds this character.
  const none = '\u0001';
  const parameters = 'id' in what ? { wanted: what.id, prefix: none } : { wanted: none, prefix: what.prefix };
  return assign({ unit: '', manager: 'auto', ...parameters }) + LIBRARY + STOP;
}
