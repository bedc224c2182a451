import { bash } from '../../hosts/shell.js';
import { SAYS_NO } from '../remote-facts.js';
import type { ProgramBlow } from './program-blow.js';

/** Names of ours alone: nothing else is touched, and whatever is of that name may go. */
const TABLE = 'kubewright_drill';
const CHAIN = 'KUBEWRIGHT-DRILL';

/**
 * Cuts a host from the network, but for SSH from the address that this very session comes from: by a table of nftables of our own, and
 * where the host has no `nft`, by a chain of iptables of our own, which every node has. The address is what the host itself sees, so
 * behind a bastion it is the bastion's; `sudo` takes the variable away, but not from the processes above it. Where it cannot be told
 * nothing is cut.
 */
export const networkBlow: ProgramBlow = {
  strike: bash`ssh_client() {
  local pid=$$ words
  while [ "\${pid:-0}" -gt 1 ]; do
    words=$(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p' | head -n 1)
    if [ -n "$words" ]; then echo "$words"; return 0; fi
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
  done
  return 1
}
read -r client _ _ port <<<"$(ssh_client)"
[[ $client =~ ^[0-9.]+$ && $port =~ ^[0-9]+$ ]] || { echo 'the host does not tell from which IPv4 address this session comes' >&2; exit 1; }
if command -v nft >/dev/null; then
  nft -f - <<NFT
add table inet ${TABLE}
delete table inet ${TABLE}
table inet ${TABLE} {
  chain input { type filter hook input priority -310; policy drop; iif "lo" accept; ip saddr $client tcp dport $port accept; }
  chain output { type filter hook output priority -310; policy drop; oif "lo" accept; ip daddr $client tcp sport $port accept; }
  chain forward { type filter hook forward priority -310; policy drop; }
}
NFT
else
  iptables -w 10 -N ${CHAIN} 2>/dev/null || iptables -w 10 -F ${CHAIN} || exit 1
  rule() { iptables -w 10 -A ${CHAIN} "$@"; }
  rule -i lo -j RETURN && rule -o lo -j RETURN && rule -s "$client" -p tcp --dport "$port" -j RETURN &&
    rule -d "$client" -p tcp --sport "$port" -j RETURN && rule -j DROP || exit 1
  for hook in INPUT OUTPUT FORWARD; do
    iptables -w 10 -C $hook -j ${CHAIN} 2>/dev/null || iptables -w 10 -I $hook 1 -j ${CHAIN} || exit 1
  done
fi
`,
  undo: bash`if command -v nft >/dev/null; then nft delete table inet ${TABLE} 2>/dev/null; fi
for hook in INPUT OUTPUT FORWARD; do
  while iptables -w 10 -D $hook -j ${CHAIN} 2>/dev/null; do :; done
done
iptables -w 10 -F ${CHAIN} 2>/dev/null
iptables -w 10 -X ${CHAIN} 2>/dev/null
true
`,
  isWhole: bash`is_whole() {
  local kw_said
  if command -v nft >/dev/null; then
    kw_said=$(nft list tables) || return 1
    [[ $kw_said != *'table inet ${TABLE}'* ]] || return ${SAYS_NO}
  fi
  kw_said=$(iptables -w 10 -S) || return 1
  [[ $kw_said != *${CHAIN}* ]] || return ${SAYS_NO}
}
`,
};
