import { SAYS_NO } from '../../../../activities/remote-facts.js';
import type { Cluster } from '../../../../cluster/types.js';
import { quote } from '../../../../hosts/shell.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';

/** Bash function `holds_vip`, to be put by `ask`: no is only what `ip` itself tells of a host without the virtual IP. */
export function holdsVipFunction(cluster: Pick<Cluster, 'endpoint'>): string {
  return `holds_vip() {
  local kw_said
  kw_said=$(ip -o -4 address show to ${quote(virtualIpOf(cluster).vip)}) || return 1
  [ -n "$kw_said" ] || return ${SAYS_NO}
}
`;
}
