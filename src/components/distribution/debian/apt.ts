import { quote } from '../../../hosts/shell.js';
import { patiently, UNSET_PROXIES } from '../patiently.js';

export interface AptTransaction {
  install: string[];
  hold: string[];
  /** Units that come with the packages and must not start before they are configured. */
  services: string[];
  /** Proxy of this transaction; null: as apt's own configuration says. */
  proxy: string | null;
  /** Path of a file with sources whose lists are fetched anew whatever their age, without those of others. */
  refresh?: string;
}

/** `patiently COMMAND…` waits for a lock; `update` and `install` are apt's verbs, made to ask nobody. */
const FUNCTIONS = `${patiently(
  `grep -q -e 'Could not get lock' -e 'Unable to lock' -e 'locked by another process' "$log"`,
)}

update() {
  patiently apt-get update -q "\${proxy[@]}" -o Acquire::Retries=3 -o Acquire::Languages=none -o APT::Get::List-Cleanup=false "$@"
}

install() {
  patiently apt-get install -y -q --no-install-recommends --no-upgrade --no-remove "\${proxy[@]}" \\
    -o Acquire::Retries=3 -o Acquire::Languages=none -o Dpkg::Use-Pty=0 \\
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "\${packages[@]}"
}

lists_are_fresh() {
  compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null &&
    [ -n "$(find /var/lib/apt/lists -maxdepth 0 -mmin -1440)" ]
}`;

/**
 * The one apt transaction of a host, as bash for a durable command. It may be interrupted and repeated at any point:
 *
 * - services are held off by a *runtime* mask, which deb-systemd-invoke respects and a reboot forgets, rather than by a
 *   `policy-rc.d`, which an interruption would leave behind; only units that are not there yet are masked;
 * - a `dpkg` that was interrupted is finished first;
 * - a lock held by another package manager is waited for (`apt-get update` has no option for it);
 * - a proxy is the one that it is given or that apt's configuration names, never one of the environment: what works must not
 *   depend on who starts it;
 * - nothing that the host has is removed for it;
 * - lists are fetched when there are none, when they are a day old, or when the archive no longer has what they name.
 */
export function renderAptTransaction({ install, hold, services, proxy, refresh }: AptTransaction): string {
  return `export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
packages=(${words(install)})
hold=(${words(hold)})
services=(${words(services)})
proxy=(${words(proxy === null ? [] : [`-oAcquire::http::Proxy=${proxy}`, `-oAcquire::https::Proxy=${proxy}`])})
${UNSET_PROXIES}
log=$(mktemp)
masked=()

finish() {
  [ "\${#masked[@]}" = 0 ] || systemctl unmask --runtime --quiet "\${masked[@]}" || true
  rm -f "$log"
}
trap finish EXIT

${FUNCTIONS}

for service in "\${services[@]}"; do
  target=$(readlink "/run/systemd/system/$service" || true)
  if [ "$target" = /dev/null ] || ! systemctl cat "$service" >/dev/null 2>&1; then masked+=("$service"); fi
done
[ "\${#masked[@]}" = 0 ] || systemctl mask --runtime --quiet "\${masked[@]}"

patiently dpkg --force-confdef --force-confold --configure -a
fresh=false
lists_are_fresh && fresh=true
${refresh === undefined ? '' : `[ "\${#packages[@]}" = 0 ] || update -o Dir::Etc::SourceList=${quote(refresh)} -o Dir::Etc::SourceParts=-\n`}if [ "\${#packages[@]}" = 0 ]; then
  :
elif "$fresh"; then
  install || {
    grep -q -e '404  Not Found' -e 'Unable to locate package' -e 'no installation candidate' "$log" || exit 1
    update
    install
  }
else
  update
  install
fi
[ "\${#hold[@]}" = 0 ] || patiently apt-mark hold "\${hold[@]}"
`;
}

function words(list: string[]): string {
  return list.map(quote).join(' ');
}
