import { quote } from '../../../hosts/shell.js';
import { patiently, UNSET_PROXIES } from '../patiently.js';

export interface DnfTransaction {
  install: string[];
  hold: string[];
  /** Proxy of this transaction; null: as dnf's own configuration says. */
  proxy: string | null;
  /** Ids of repositories that are used although they are not enabled. */
  enable?: readonly string[];
}

/**
 * Bash: `providers NAME` prints the installed packages that provide a name, a line of name, epoch and version each; status 1
 * where none does. rpm has the same exit code for that and for a database that it cannot read, so its words are looked at: an
 * answer that is none has status 2.
 */
export const PROVIDERS = `providers() {
  local said status=0
  said=$(LC_ALL=C rpm -q --whatprovides --qf 'provider\\t%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}-%{RELEASE}\\n' "$1" 2>&1) || status=$?
  if [ "$status" = 0 ]; then
    sed -n 's/^provider\\t//p' <<<"$said"
    return 0
  fi
  [ "\${said##*$'\\n'}" != "no package provides $1" ] || [[ $said == *error:* ]] || return 1
  printf '%s\\n' "$said" >&2
  return 2
}`;

/**
 * Bash: `end_agents DIRECTORY` ends the agents that dnf leaves running below its cache when it has imported the key of a list
 * (repo_gpgcheck): they do not end when the command is over.
 */
export const END_AGENTS = `end_agents() {
  local ring
  for ring in "$1"/*/pubring; do
    [ ! -d "$ring" ] || gpgconf --homedir "$ring" --kill gpg-agent >/dev/null 2>&1 || true
  done
}`;

/**
 * `install` is dnf's verb, made to ask nobody. It waits for no lock by itself (exit_on_lock, with exit code 200): dnf would wait
 * without an end. The lock of rpm's own database has no exit code.
 */
const FUNCTIONS = `${patiently(`{ [ "$status" = 200 ] || grep -q "can't create transaction lock" "$log"; }`)}

${PROVIDERS}

install() {
  patiently dnf install -y --setopt=install_weak_deps=False --setopt=exit_on_lock=True --setopt=retries=3 \\
    --setopt=strict=True "\${proxy[@]}" "$@" "\${missing[@]}"
}`;

/** Words by which metadata in the cache shows that it is older than the archive. */
const STALE = ['Status code: 404', 'No match for argument', 'Unable to find a match', 'incorrect checksum'];

/**
 * The one dnf transaction of a host, as bash for a durable command. It may be interrupted and repeated at any point:
 *
 * - dnf is given only what is missing, for its `install` upgrades what is there; whoever provides a name counts;
 * - no unit is masked: packages of this family start no service when they are installed (systemd.preset(5) enables few);
 * - a lock held by another package manager is waited for;
 * - a proxy is the one that it is given or that dnf's configuration names, never one of the environment;
 * - nothing that the host has is removed for it (no `--allowerasing`);
 * - metadata is fetched anew once when the archive no longer has what it names.
 */
export function renderDnfTransaction({ install, hold, proxy, enable = [] }: DnfTransaction): string {
  const options = [
    ...(proxy === null ? [] : [`--setopt=proxy=${proxy}`]),
    ...enable.map((repository) => `--enablerepo=${repository}`),
  ];
  return `export LC_ALL=C
packages=(${words(install)})
hold=(${words(hold)})
proxy=(${words(options)})
${UNSET_PROXIES}
log=$(mktemp)
trap 'rm -f "$log"; end_agents /var/cache/dnf' EXIT

${END_AGENTS}

${FUNCTIONS}

missing=()
for name in "\${packages[@]}"; do
  status=0
  providers "$name" >/dev/null || status=$?
  case $status in 0) ;; 1) missing+=("$name") ;; *) exit "$status" ;; esac
done
if [ "\${#missing[@]}" != 0 ]; then
  install || {
    grep -q ${STALE.map((words) => `-e ${quote(words)}`).join(' ')} "$log" || exit 1
    install --refresh
  }
fi
if [ "\${#hold[@]}" != 0 ]; then
  names=()
  for name in "\${hold[@]}"; do
    found=$(providers "$name")
    names+=("\${found%%$'\\t'*}")
  done
  # Of what is installed, for which no mirror has to be there.
  patiently dnf versionlock add -y --setopt=exit_on_lock=True --disablerepo='*' "\${names[@]}"
fi
`;
}

function words(list: string[]): string {
  return list.map(quote).join(' ');
}
