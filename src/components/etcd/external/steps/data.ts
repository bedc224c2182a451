import type { No } from '../../../../activities/answers.js';
import { FENCE_GUARD } from '../../../../activities/fence.js';
import type { StepContext } from '../../../../activities/types.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import { quote } from '../../../../hosts/shell.js';
import { etcdHosts, etcdOf } from '../../../registry/plan.js';
import { etcdctl } from '../../members/members.js';
import { clientUrl, peerUrl } from '../../members/places.js';
import type { MemberPlan } from './member-plan.js';

/** The member that etcd's data on this host was begun for; see `ownsData`. */
export const BEGUN_FOR = '/var/lib/kubewright/etcd-member';

/**
 * Bash. etcd is asked once more, from this very host and right before its data moves: it must know the host as a learner that
 * never came. Then the member that may still run with that data is stopped. It is moved within its directory, for that may
 * be a disk of its own or a link to one; etcd takes no note of other names in there.
 *
 * @param permit the answer that permits it
 * @param stop Bash that ends the member, or fails
 */
export function moveAside({ cluster }: StepContext, host: ClusterHost, permit: No, stop: string): string {
  const { dataDirectory } = etcdOf(cluster);
  const others = etcdHosts(cluster).filter(({ name }) => name !== host.name);
  const endpoints = others.map(({ address }) => clientUrl(address));
  const learner = `, ${peerUrl(host.address).replaceAll('.', '\\.')}, , true$`;
  return `${FENCE_GUARD}for _ in {1..5}; do
  members=$(${etcdctl(cluster, endpoints)} member list) && break || members=
done
if ! grep -qE ${quote(`^[0-9a-f]+, (un)?started, .*${learner}`)} <<<"$members"; then
  echo 'kubewright: nothing was moved: etcd does not say that this host is a learner which never came'
  exit 66
fi
echo ${quote(`moving former data of etcd aside: ${permit.evidence}`)}
${stop}mv ${dataDirectory}/member "${dataDirectory}/member.removed-$(date -u +%Y%m%dT%H%M%SZ)"
`;
}

/** Bash: notes whom data is begun for, after older data has gone and before etcd begins its own. */
export function noteFor({ cluster }: StepContext, { announced }: MemberPlan): string {
  if (announced === undefined) return '';
  return `mkdir -p "$(dirname ${BEGUN_FOR})"
if [ ! -e ${etcdOf(cluster).dataDirectory}/member ]; then
  printf %s ${quote(announced)} >${BEGUN_FOR}.new
  sync ${BEGUN_FOR}.new
  mv -f ${BEGUN_FOR}.new ${BEGUN_FOR}
fi
`;
}
