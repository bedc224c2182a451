#!/bin/sh
# Stands in for every iptables program of the image until it is known which kernel interface the host uses, nft or
# legacy: rules written to the other one would be applied as well, in an order nobody wants. The first call decides,
# puts links to the right programs in its place, and runs what was asked for. The rule is the one of
# kubernetes-sigs/iptables-wrappers (which official images carry): the kubelet leaves a chain for exactly this purpose.
set -u
directory=/usr/sbin

has_hint() { grep -q -E '^:(KUBE-IPTABLES-HINT|KUBE-KUBELET-CANARY)'; }
# Without -t for legacy: naming a table there would make the kernel create it.
save() { { "$directory/xtables-$1-multi" iptables-save; "$directory/xtables-$1-multi" ip6tables-save; } 2>/dev/null; }
save_nft_mangle() {
  for program in iptables-save ip6tables-save; do
    "$directory/xtables-nft-multi" "$program" -t mangle 2>/dev/null
  done
}

if save_nft_mangle | has_hint; then
  mode=nft
elif save legacy | has_hint; then
  mode=legacy
elif [ "$(save legacy | grep -c '^-')" -gt "$(save nft | grep -c '^-')" ]; then
  # No kubelet has been here: side with whoever wrote more rules.
  mode=legacy
else
  mode=nft
fi

for program in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  # Renamed into place, so that a call at the same moment finds either the old or the new. A read-only root only means
  # that the next call asks again.
  ln -s "xtables-$mode-multi" "$directory/.$program.$$" 2>/dev/null &&
    mv -f "$directory/.$program.$$" "$directory/$program" 2>/dev/null
done

exec "$directory/xtables-$mode-multi" "${0##*/}" "$@"
