/**
 * Bash that reads a host's firewall rules; what is made of them is the caller's.
 *
 * `read_rules` sets `nft_rules` and `iptables_rules`, and where these could not be read `unread_by` (the program) and
 * `unread` (why). Asking nftables or iptables loads their modules, so they are asked only where the kernel has them at work.
 *
 * `firewalls` prints `KIND|NAME|EXTENT`, one a line: ufw and firewalld, the base chains of nftables by family, table and
 * name, and INPUT of iptables. `all` is one that lets nothing in by default: its policy is to drop, or its last rule drops or
 * rejects all the rest. `some` is one with a rule that drops or rejects something. The iptables table of forwarded packets is
 * left out: kube-proxy and flannel put their own rules before Docker's policy there.
 */
export const FIREWALL_FUNCTIONS = `nft_rules= iptables_rules= unread= unread_by=
at_work() { [ -d "/sys/module/$1" ] || [ ! -d "/lib/modules/$(uname -r)" ] || grep -qs "/$1\\.ko" "/lib/modules/$(uname -r)/modules.builtin"; }
unreadable() { unread_by=$1 unread=$2; }
read_rules() {
  at_work nf_tables || [ -s /proc/net/ip_tables_names ] || return 0
  if command -v nft >/dev/null; then
    nft_rules=$(timeout 10 nft list ruleset) || unreadable nft "nft failed with exit code $?"
  fi
  if iptables_rules=$(timeout 10 iptables-save) || command -v nft >/dev/null; then :
  elif command -v iptables-save >/dev/null; then unreadable iptables-save 'iptables-save failed'
  elif [ -d /sys/module/nf_tables ]; then unreadable nft 'neither nft nor iptables is there'; fi
  iptables_rules+=$'\\n'$(timeout 10 iptables-legacy-save)
}
firewalls() {
  [[ $(ufw status) != 'Status: active'* ]] || echo 'ufw|ufw|all'
  ! systemctl is-active --quiet firewalld || echo 'firewalld|firewalld|all'
  awk -v iptables="$(grep -m 1 '^\\*filter' <<<"$iptables_rules")" '
    function named() {
      if (table !~ /^(ip|inet|netdev) / || table == "inet firewalld") return 0
      if (table == "ip filter" && chain == "FORWARD") return 0
      return !(table == "ip filter" && chain == "INPUT" && iptables != "")
    }
    function rest(rule) { return rule ~ /^[ \\t]*(counter packets [0-9]+ bytes [0-9]+ )?(drop|reject)/ }
    $1 == "table" {table = $2 " " $3}
    $1 == "chain" {chain = $2; hook = policy = last = ""; some = 0; next}
    match($0, /hook (input|forward|prerouting|ingress) /) {
      hook = substr($0, RSTART + 5, RLENGTH - 6)
      policy = /policy drop/ ? "drop" : ""
      next
    }
    $1 == "}" {
      all = policy == "drop" || rest(last)
      if (hook != "" && named()) {
        if (all && (hook == "input" || hook == "forward")) print "nftables|" table " " chain "|all"
        else if ((all || some) && hook != "forward") print "nftables|" table " " chain "|some"
      }
      chain = hook = ""
      next
    }
    {last = $0}
    /(^|[ \\t])(drop|reject)([ \\t]|$)/ {some = 1}' <<<"$nft_rules"
  awk '
    /^\\*/ {table = $1}
    table == "*filter" && /^:INPUT DROP/ {drops = 1}
    table == "*filter" && /^-A INPUT / {drops_last = /^-A INPUT (-j DROP|-j REJECT)/}
    table == "*filter" && /^-A INPUT .*-j (DROP|REJECT)/ {some = 1}
    END {if (drops || drops_last || some) print "iptables|INPUT|" (drops || drops_last ? "all" : "some")}' <<<"$iptables_rules"
}
`;

export type FirewallKind = 'ufw' | 'firewalld' | 'nftables' | 'iptables';

/** One line of `firewalls`. */
export interface FoundFirewall {
  kind: FirewallKind;
  name: string;
  extent: 'all' | 'some';
}

/** Reads what `firewalls` printed. */
export function parseFirewalls(text: string): FoundFirewall[] {
  return text.split('\n').flatMap((line) => {
    const [, kind, name = '', extent] = /^(ufw|firewalld|nftables|iptables)\|(.+)\|(all|some)$/.exec(line) ?? [];
    return kind === undefined ? [] : [{ kind: kind as FirewallKind, name, extent: extent as 'all' | 'some' }];
  });
}
