import { bash } from '../shell.js';
import { RUNTIME_DIRECTORY, UNITS_DIRECTORY } from './names.js';

/** Runs kept on the host for a look at them afterwards, a unit. */
const KEPT_RUNS = 5;

/**
 * Layout: `$dir/runs/NAME/` with the records `start` and `end`, `output`, `pid` and the scripts; the link `$dir/current` names the run whose result was
 * not delivered yet. Whoever changes the link holds `$dir/lock`. Control lines go to stderr, output goes to stdout.
 */
export const LIBRARY = bash`
dir=${UNITS_DIRECTORY}/$unit
umask 077
boot=$(</proc/sys/kernel/random/boot_id)
say() { printf 'kw %s\n' "$*" >&2; }

# Reads "name=value" lines of a record into variables with a prefix.
record() {
  local key value
  while IFS='=' read -r key value; do printf -v "$2_$key" %s "$value"; done <"$1"
}

# Sets activity: active, inactive, or unknown where systemd gave no answer (it is busy, or takes its own update in).
ask_unit() {
  local answer
  activity=unknown
  answer=$(timeout 10 systemctl show -p ActiveState --value "$unit.service" 2>/dev/null) || return 0
  case $answer in
    active | activating | deactivating | reloading | refreshing) activity=active ;;
    inactive | failed) activity=inactive ;;
  esac
}

# The number of a process may be another's by now, its arguments are not.
main_lives() {
  local pid
  { read -r pid <"$rundir/pid"; } 2>/dev/null && [ -d "/proc/$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$rundir"
}

# Sets activity as ask_unit does, but believes "inactive" only when systemd says so three times in a row, half a second
# apart, and neither the process nor the end record is there: during its update systemd forgets for a moment what runs.
settle_activity() {
  local times=0 turn
  for turn in 1 2 3 4 5 6; do
    ask_unit
    [ "$activity" != active ] || return 0
    [ ! -f "$rundir/end" ] || return 0
    if [ "$activity" = inactive ]; then times=$((times + 1)); else times=0; fi
    [ $times -lt 3 ] || break
    sleep 0.5
  done
  if main_lives; then activity=active; elif [ $times -lt 3 ]; then activity=unknown; fi
}

# none, running, ended, lost, rebooted, or unknown. The end record is looked for again after the unit, which writes it first.
find_state() {
  state=none run=$(readlink "$dir/current" 2>/dev/null) || return 0
  rundir=$dir/$run start_boot='' start_hash='' start_started=0 start_attempt=''
  [ -f "$rundir/start" ] || return 0
  record "$rundir/start" start
  activity=inactive
  if [ "$start_boot" = "$boot" ] && [ ! -f "$rundir/end" ]; then settle_activity; fi
  if [ -f "$rundir/end" ]; then
    end_result='' end_code='' end_status='' end_shutdown=no
    record "$rundir/end" end
    state=ended
    # Killed because the host went down: that says nothing about the command.
    if [ "$end_shutdown" = yes ]; then state=rebooted; fi
  elif [ "$start_boot" != "$boot" ]; then state=rebooted
  elif [ "$activity" = active ]; then state=running
  elif [ "$activity" = inactive ]; then state=lost
  else state=unknown; fi
}

# Takes the run out of the way of the next one; it stays readable below runs/ until newer ones push it out. The run that
# the link names stays whatever its name: a clock that was put back gives a new run an older one.
archive() {
  [ "$(readlink "$dir/current" 2>/dev/null)" != "$1" ] || rm -f -- "$dir/current"
  local current old
  current=$(readlink "$dir/current" 2>/dev/null)
  ls -1 "$dir/runs" | head -n -${KEPT_RUNS} | while read -r old; do
    [ "runs/$old" = "$current" ] || rm -rf -- "$dir/runs/$old"
  done
}

lock_unit() { mkdir -p "$dir/runs" ${RUNTIME_DIRECTORY}; exec 8>>"$dir/lock"; flock 8; }
unlock_unit() { exec 8>&-; }
`;
