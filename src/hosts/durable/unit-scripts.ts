import { TOOL_PATH } from '../shell.js';
import { RUNTIME_DIRECTORY } from './names.js';

/**
 * The two scripts that a unit consists of. They are written beside the record of each run and hold no secrets.
 */

/**
 * What the unit runs: `main.sh RUN_DIRECTORY UNIT SECONDS`. It holds the host's one lock on a descriptor that the command
 * does not inherit (a daemon it starts must not keep the lock), and bounds the command's own time, so that waiting for
 * the lock does not count; systemd's RuntimeMaxSec bounds both.
 */
export const MAIN = `#!/bin/bash
rundir=$1 unit=$2 seconds=$3
exec </dev/null >>"$rundir/output" 2>&1
umask 077
cd /
export PATH=${TOOL_PATH} LC_ALL=C HOME=/root KUBEWRIGHT_SECRETS=${RUNTIME_DIRECTORY}/$unit
lock=${RUNTIME_DIRECTORY}/host.lock
printf '%s\\n' "$$" >"$rundir/pid"
exec 9>>"$lock"
if ! flock -n 9; then
  read -r holder <"$lock"
  printf "waiting for the host's lock held by %s\\n" "\${holder:-another command}"
  flock 9
fi
printf '%s\\n' "$unit" >"$lock"
SECONDS=0
(umask 022; exec timeout --kill-after=10 "$seconds" bash -euo pipefail "$rundir/command.sh" 9>&-)
code=$?
if [ "$SECONDS" -ge "$seconds" ] && { [ "$code" = 124 ] || [ "$code" = 137 ]; }; then
  printf 'ended after %s seconds, which is its limit\\n' "$seconds"
  printf 'timeout\\n' >"$rundir/verdict"
fi
: >"$lock"
exit "$code"
`;

/**
 * What systemd runs after the unit, however it ended (ExecStopPost): `end.sh RUN_DIRECTORY UNIT`. Removes the secrets and
 * writes the end record, whole or not at all.
 */
export const END = `#!/bin/bash
rundir=$1 unit=$2
export PATH=${TOOL_PATH} LC_ALL=C
rm -rf -- "${RUNTIME_DIRECTORY}/$unit"
result=$SERVICE_RESULT
# What the command has left running did not end when it was told to; that is not how the command itself ended.
if [ "$result" = timeout ] && [ "$EXIT_CODE" = exited ]; then
  result=exit-code
  [ "$EXIT_STATUS" != 0 ] || result=success
fi
[ ! -s "$rundir/verdict" ] || read -r result <"$rundir/verdict"
shutdown=no
if [ "$EXIT_CODE" != exited ] && [ "$(systemctl is-system-running 2>/dev/null)" = stopping ]; then shutdown=yes; fi
umask 077
printf 'result=%s\\ncode=%s\\nstatus=%s\\nended=%s\\nshutdown=%s\\n' \\
  "$result" "$EXIT_CODE" "$EXIT_STATUS" "$(date +%s%3N)" "$shutdown" >"$rundir/end.new"
sync "$rundir/end.new"
mv -f "$rundir/end.new" "$rundir/end"
sync "$rundir"
`;
