import { quote } from '../../../hosts/shell.js';

/**
 * Bash for the network side of a host's facts: cards, ports, routes, name servers, proxies, firewalls. `fact` and `asked`
 * are those of `hostFactsScript`. Afterwards `chains` prints the names of all firewall chains.
 *
 * @param podSubnet network of the pods, for which firewall rules are searched
 * @param resolvConf file of the name servers that cluster.yaml names for the kubelet, or undefined
 */
export function networkFacts(podSubnet: string, resolvConf: string | undefined): string {
  return `asked 'its network addresses' ip -o -4 address show | while read -r _ card _ address _; do
  fact address "\${card%%@*}" "$address" "$(cat "/sys/class/net/\${card%%@*}/address")"
done
listeners() {
  asked "the $1 ports in use" ss "$2" | while read -r _ _ _ local _ users; do
    users=\${users#*'(("'}
    fact "$3" "\${local##*:}" "\${users%%'"'*}"
  done
}
listeners TCP -Hltnp port
listeners UDP -Hlunp udp
asked 'its routes' ip -o -4 route show | while read -r line; do
  [[ $line =~ ^(unreachable\\ |blackhole\\ |prohibit\\ )?([0-9./]+)(.*\\ dev\\ ([^ ]+))? ]] && fact route "\${BASH_REMATCH[2]}" "\${BASH_REMATCH[4]}"
done
${NAME_SERVERS}
name_servers /etc/resolv.conf
name_servers /run/systemd/resolve/resolv.conf
${resolvConf === undefined ? '' : `name_servers ${quote(resolvConf)}\n`}${PROXIES}
${FIREWALLS}
{ printf '%s\\n' "$nft_rules" "$iptables_rules"; ufw status; } | grep -q -F -e ${quote(podSubnet)} -e cni0 && fact firewall-lets-pods-in yes`;
}

/** Which file the kubelet is given depends on whether systemd-resolved runs; both are read. */
const NAME_SERVERS = `systemctl is-active --quiet systemd-resolved && fact resolved active
name_servers() {
  [ -r "$1" ] || return
  fact resolver-file "$1"
  while read -r word address _ || [ -n "$word" ]; do
    [ "$word" != nameserver ] || fact nameserver "$1" "$address"
    word=
  done <"$1"
}`;

/** User and password of a proxy are nobody's business here, and never leave the host. */
const PROXIES = `proxies() {
  local line name value
  while IFS= read -r line || [ -n "$line" ]; do
    line=\${line#export }
    name=\${line%%=*} value=\${line#*=}
    value=\${value#[\\"\\']} value=\${value%[\\"\\']}
    case \${name,,} in
      http_proxy|https_proxy|all_proxy) [ -z "$value" ] || fact proxy "$1" "\${name,,}" "$(sed -E 's#//[^/]*@#//#' <<<"$value")" ;;
      no_proxy) fact proxy "$1" no_proxy "$value" ;;
    esac
    line=
  done
}
proxies login </etc/environment
asked "systemd's environment" systemctl show-environment | proxies systemd
apt-config dump Acquire::http::Proxy | sed -nE 's/^Acquire::http::Proxy "(.+)";$/http_proxy=\\1/p' | proxies apt`;

/**
 * Asking nftables or iptables loads their modules, so they are asked only where the kernel has them at work. A chain lets
 * nothing in by default when its policy is to drop, or when its last rule drops or rejects all the rest. The iptables table
 * of forwarded packets is left out: kube-proxy and flannel put their own rules before Docker's policy there.
 */
const FIREWALLS = `nft_rules= iptables_rules=
at_work() { [ -d "/sys/module/$1" ] || [ ! -d "/lib/modules/$(uname -r)" ] || grep -qs "/$1\\.ko" "/lib/modules/$(uname -r)/modules.builtin"; }
if at_work nf_tables || [ -s /proc/net/ip_tables_names ]; then
  if command -v nft >/dev/null; then nft_rules=$(asked 'its firewall rules' timeout 10 nft list ruleset); fi
  if iptables_rules=$(timeout 10 iptables-save) || command -v nft >/dev/null; then :
  elif command -v iptables-save >/dev/null; then fact unknown 'its firewall rules' iptables-save 'iptables-save failed'
  elif [ -d /sys/module/nf_tables ]; then fact unknown 'its firewall rules' nft 'neither nft nor iptables is there'; fi
  iptables_rules+=$'\\n'$(timeout 10 iptables-legacy-save)
fi
chains() {
  awk '$1 == "chain" {print $2}' <<<"$nft_rules"
  awk '/^:/ {print substr($1, 2)}' <<<"$iptables_rules"
}
[[ $(ufw status) != 'Status: active'* ]] || fact firewall ufw ufw
! systemctl is-active --quiet firewalld || fact firewall firewalld firewalld
while IFS='|' read -r kind name; do [ -z "$kind" ] || fact firewall "$kind" "$name"; done < <(
  awk -v iptables="\${iptables_rules:+known}" '
    function named() {
      if (table !~ /^(ip|inet) / || table == "inet firewalld") return 0
      if (table == "ip filter" && chain == "FORWARD") return 0
      return !(table == "ip filter" && chain == "INPUT" && iptables != "")
    }
    function rest(rule) { return rule ~ /^[ \\t]*(counter packets [0-9]+ bytes [0-9]+ )?(drop|reject)/ }
    $1 == "table" {table = $2 " " $3}
    $1 == "chain" {chain = $2; hook = ""; policy = ""; last = ""; next}
    /hook (input|forward) / {hook = /hook input/ ? "input" : "forward"; policy = /policy drop/ ? "drop" : ""; next}
    $1 == "}" {
      if (hook != "" && (policy == "drop" || rest(last)) && named()) print "nftables|" table " " chain
      chain = hook = ""
      next
    }
    {last = $0}' <<<"$nft_rules"
  awk '
    /^\\*/ {table = $1}
    table == "*filter" && /^:INPUT DROP/ {drops = 1}
    table == "*filter" && /^-A INPUT / {drops_last = /^-A INPUT (-j DROP|-j REJECT)/}
    END {if (drops || drops_last) print "iptables|INPUT"}' <<<"$iptables_rules"
)`;
