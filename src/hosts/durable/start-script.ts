import { bash } from '../shell.js';
import { RUNTIME_DIRECTORY } from './names.js';

/** Added to a command's own limit for the time it may wait for the host's lock. */
const LOCK_WAIT_SECONDS = 3600;

/** A command and its secrets, some 50 KB, come within this time, or their sender is gone without having said so. */
const PAYLOAD_SECONDS = 120;

/**
 * Starts a unit: the record first, then the unit, whose name systemd grants once. The payload is taken whole before the
 * lock is: a sender that vanishes in the middle keeps nobody out. It goes through an unlinked file in memory, so nothing
 * of it stays behind whatever ends this script.
 */
export const START = bash`
spool() {
  local file
  mkdir -p ${RUNTIME_DIRECTORY} && file=$(mktemp -p ${RUNTIME_DIRECTORY} .payload.XXXXXXXX) || return 1
  exec 6>"$file" 7<"$file"
  rm -f -- "$file"
  timeout ${PAYLOAD_SECONDS} head -c "$payload" >&6 || return
  [ "$(stat -L -c %s /proc/self/fd/6)" = "$payload" ] || return 1
  exec 6>&-
}

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
  local try
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    systemd-run --quiet --collect --unit="$unit" --description="Kubewright: $id" \
      --property=RuntimeMaxSec=$((seconds + ${LOCK_WAIT_SECONDS})) --property=TimeoutStopSec=10 \
      --property="ExecStopPost=/bin/bash $rundir/end.sh $rundir $unit" \
      /bin/bash "$rundir/main.sh" "$rundir" "$unit" "$seconds" 2>"$rundir/launch" && return 0
    # The name is still taken by the former run, which is about to leave; anything else is final.
    grep -q 'already' "$rundir/launch" || return 1
    sleep 0.1
  done
  return 1
}

# Builtins where possible: a busy host pays for every process.
write_run() {
  receive <&7 && : >"$rundir/output" \
    && printf %s "$main" >"$rundir/main.sh" && printf %s "$end" >"$rundir/end.sh" \
    && printf 'id=%s\nhash=%s\nboot=%s\nstarted=%s\nattempt=%s\n' "$id" "$hash" "$boot" "$start_started" "$attempt" >"$rundir/start" \
    && ln -sfn "$run" "$dir/current.new" && mv -fT "$dir/current.new" "$dir/current" \
    && sync "$rundir/start" "$rundir" "$dir"
}

start_unit() {
  # Without a record, but with a unit of this name that works: its secrets lie where ours would.
  ask_unit
  if [ "$activity" = active ] && [ -d "${RUNTIME_DIRECTORY}/$unit" ]; then
    say failed 'a unit of this name runs, and its record is gone'
    return 1
  fi
  run=runs/$(date -u +%Y%m%dT%H%M%S.%N) start_started=$(date +%s%3N)
  rundir=$dir/$run
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
