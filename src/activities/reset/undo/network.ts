import type { Cluster } from '../../../cluster/types.js';
import { loadBalancerOf } from '../../../components/registry/plan.js';
import { ownLeftovers } from '../../node-leftovers.js';
import { FIREWALL_FUNCTIONS } from '../../prepare/firewalls-script.js';
import { namesOf } from './words.js';

/**
 * Bash that takes away what is ours of the host's network, by name: links, chains of iptables and the rules that lead into them, tables
 * of nftables, the virtual IP. No table is flushed, and what the host had before stays even where its name is one of ours.
 */
export function networkScript(cluster: Cluster): string {
  const leftovers = ownLeftovers(cluster);
  const chains = namesOf(leftovers, 'chain').map((pattern) => pattern.replaceAll('*', '.*'));
  const tables = namesOf(leftovers, 'table').map((name) => `drop_table ${name.replace('/', ' ')}\n`);
  return `for space in /run/netns/cni-*; do
  umount "$space" 2>/dev/null || umount --lazy "$space" 2>/dev/null || true
  rm -f -- "$space"
done
for card in /sys/class/net/*; do
  card=\${card##*/}
  case $card in
    ${namesOf(leftovers, 'interface').join(' | ')}) had link "$card" || ip link delete "$card" 2>/dev/null || say "cannot delete the link $card" ;;
  esac
done
${virtualIp(cluster)}${FIREWALL_FUNCTIONS}${DROP_CHAINS}drop_all_chains '^(${chains.join('|')})$'
drop_table() {
  had table "$1/$2" || ! nft list table "$1" "$2" >/dev/null 2>&1 || nft delete table "$1" "$2" || say "cannot delete the table $1 $2"
}
${tables.join('')}`;
}

/** A balancer that was ended by force leaves the address where it was. */
function virtualIp(cluster: Cluster): string {
  const balancer = loadBalancerOf(cluster);
  if (balancer.addressKey !== 'vip') return '';
  const address = balancer.address(cluster);
  return `while read -r _ card _ address _; do
  card=\${card%%@*}
  of address | grep -qxF "$card"$'\\t'"$address" || ip address delete "$address" dev "$card" || say "cannot take $address from $card"
done < <(ip -o -4 address show to ${address}/32)
`;
}

/**
 * Bash: `drop_all_chains REGEX`. What `iptables-save` prints becomes what `iptables-restore --noflush` takes, one transaction a
 * table: rules elsewhere that lead into such a chain, then the chains' own rules, then the chains.
 *
 * Asking iptables loads its modules, so it is asked only where the kernel has them at work: by `at_work` of `FIREWALL_FUNCTIONS`.
 */
export const DROP_CHAINS = `chains_away() {
  HAD=$(of chain | cut -f 1) awk -v ours="$1" '
    BEGIN {split(ENVIRON["HAD"], names, "\\n"); for (at in names) kept[names[at]] = 1}
    function mine(name) {return name ~ ours && !(name in kept)}
    /^\\*/ {table = $0; rules = flushes = drops = ""}
    /^:/ {name = substr($1, 2); if (mine(name)) {flushes = flushes "-F " name "\\n"; drops = drops "-X " name "\\n"}}
    /^-A / && !mine($2) {
      for (at = 3; at < NF; at++) if (($at == "-j" || $at == "-g") && mine($(at + 1))) {
        rules = rules "-D " substr($0, 4) "\\n"
        break
      }
    }
    /^COMMIT/ && flushes != "" {printf "%s\\n%s%s%sCOMMIT\\n", table, rules, flushes, drops}'
}
drop_all_chains() {
  local tool changes
  for tool in iptables ip6tables iptables-legacy ip6tables-legacy; do
    command -v "$tool-save" >/dev/null && command -v "$tool-restore" >/dev/null || continue
    case $tool in
      iptables-legacy) [ -s /proc/net/ip_tables_names ] || continue ;;
      ip6tables-legacy) [ -s /proc/net/ip6_tables_names ] || continue ;;
      *) at_work nf_tables || [ -s /proc/net/ip_tables_names ] || continue ;;
    esac
    changes=$(timeout 30 "$tool-save" 2>/dev/null | chains_away "$1") || true
    [ -n "$changes" ] || continue
    say "taking $(grep -c '^-X' <<<"$changes") chains from $tool"
    timeout 60 "$tool-restore" --noflush <<<"$changes" || { say "cannot take them from $tool"; return 1; }
  done
}
`;
