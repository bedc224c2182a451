/** How long an installation waits for unattended-upgrades and its like, which may well take ten minutes on a new host. */
export const LOCK_PATIENCE_SECONDS = 600;

/**
 * Bash: `patiently COMMAND…` runs a package manager's command, and again while another one holds the lock. What it says
 * goes on, and stands in the file `$log` as well.
 *
 * @param isLocked command that succeeds where the lock was held; it may look at `$log` and at the exit code in `$status`
 */
export function patiently(isLocked: string): string {
  return `patiently() {
  local deadline=$((SECONDS + ${LOCK_PATIENCE_SECONDS})) status
  while :; do
    status=0
    "$@" 2>&1 </dev/null | tee "$log" || status=$?
    [ "$status" != 0 ] || return 0
    ${isLocked} || return "$status"
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "kubewright: the package manager's lock was held for ${LOCK_PATIENCE_SECONDS} s"
      return "$status"
    fi
    echo 'kubewright: waiting for another package manager to finish'
    sleep 2
  done
}`;
}

/** Bash: a proxy of the environment is nobody's; what works must not depend on who starts it. */
export const UNSET_PROXIES =
  'unset http_proxy https_proxy ftp_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY';
