import { quote } from '../../../hosts/shell.js';
import { FIREWALL_FUNCTIONS } from '../firewalls-script.js';

/**
 * Bash for the network side of a host's facts: cards, ports, routes, name servers, proxies, firewalls. `row`, `asked`
 * and `package_proxies` are those of `hostFactsScript`. Afterwards `chains` prints the names of all firewall chains.
 *
 * @param podSubnet network of the pods, for which firewall rules are searched
 * @param resolvConf file of the name servers that cluster.yaml names for the kubelet, or undefined
 */
export function networkFacts(podSubnet: string, resolvConf: string | undefined): string {
  return `asked 'its network addresses' ip -o -4 address show | while read -r _ card _ address _; do
  row address "\${card%%@*}" "$address" "$(cat "/sys/class/net/\${card%%@*}/address")"
done
listeners() {
  asked "the $1 ports in use" ss "$2" | while read -r _ _ _ local _ users; do
    users=\${users#*'(("'}
    row "$3" "\${local##*:}" "\${users%%'"'*}"
  done
}
listeners TCP -Hltnp port
listeners UDP -Hlunp udp
asked 'its routes' ip -o -4 route show | while read -r line; do
  [[ $line =~ ^(unreachable\\ |blackhole\\ |prohibit\\ )?([0-9./]+)(.*\\ dev\\ ([^ ]+))? ]] && row route "\${BASH_REMATCH[2]}" "\${BASH_REMATCH[4]}"
done
${NAME_SERVERS}
name_servers /etc/resolv.conf
name_servers /run/systemd/resolve/resolv.conf
${resolvConf === undefined ? '' : `name_servers ${quote(resolvConf)}\n`}${PROXIES}
${FIREWALLS}
{ printf '%s\\n' "$nft_rules" "$iptables_rules"; ufw status; } | grep -q -F -e ${quote(podSubnet)} -e cni0 && row firewall-lets-pods-in yes`;
}

/** Which file the kubelet is given depends on whether systemd-resolved runs; both are read. */
const NAME_SERVERS = `systemctl is-active --quiet systemd-resolved && row resolved active
name_servers() {
  [ -r "$1" ] || return
  row resolver-file "$1"
  while read -r word address _ || [ -n "$word" ]; do
    [ "$word" != nameserver ] || row nameserver "$1" "$address"
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
      http_proxy|https_proxy|all_proxy) [ -z "$value" ] || row proxy "$1" "\${name,,}" "$(sed -E 's#//[^/]*@#//#' <<<"$value")" ;;
      no_proxy) row proxy "$1" no_proxy "$value" ;;
    esac
    line=
  done
}
proxies login </etc/environment
asked "systemd's environment" systemctl show-environment | proxies systemd
package_proxies | proxies packages`;

/** Of the chains only those that let nothing in by default: that others drop something is their owner's business. */
const FIREWALLS = `${FIREWALL_FUNCTIONS}read_rules
[ -z "$unread" ] || row unknown 'its firewall rules' "$unread_by" "$unread"
chains() {
  awk '$1 == "chain" {print $2}' <<<"$nft_rules"
  awk '/^:/ {print substr($1, 2)}' <<<"$iptables_rules"
}
while IFS='|' read -r kind name extent; do
  [ "$extent" != all ] || row firewall "$kind" "$name"
done < <(firewalls)`;
