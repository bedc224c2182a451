import { requireKnown } from '../../../../activities/answers.js';
import { type Facts, SAYS_NO } from '../../../../activities/remote-facts.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';

/** Bash that asks which network card carries a host's address, for `cardIn`. */
export function cardQuestion(host: ClusterHost): string {
  return `card() {
  local said name
  said=$(ip -o -4 address show to "$1") || return 1
  [ -n "$said" ] || return ${SAYS_NO}
  read -r _ name _ <<<"$said" && echo "$name"
}
ask interface card ${quote(host.address)}
`;
}

/**
 * The network card that carries a host's address.
 *
 * @throws KubewrightError KW461 when none does, KW433 (transient) when the host does not tell
 */
export function cardIn(facts: Facts, host: ClusterHost): string {
  const card = facts.answer('interface', `no network card of ${host.name} carries ${host.address}`);
  const known = requireKnown(card, `which network card carries ${host.address}`, host.name);
  if (known.is === 'no' || known.value === '') throw noInterface(host);
  return known.value;
}

function noInterface(host: ClusterHost): KubewrightError {
  return new KubewrightError('KW461', `no network card of the host carries ${host.address}`, {
    host: host.name,
    hint: `Set the host's address in cluster.yaml to one that \`ip -4 address\` shows there, or endpoint.interface to the card's name.`,
  });
}
