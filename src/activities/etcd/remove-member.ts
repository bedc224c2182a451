import type { ClusterHost } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import type { RemoteHost } from '../../hosts/types.js';
import type { StepContext } from '../types.js';
import { etcdctl, healthyMembers, listMembers, memberOf, quorumOf, votersOf } from './members.js';

/** Where the recovery of an etcd without a quorum is written down. */
export const QUORUM_RECOVERY = 'docs/topologies.md, "etcd without a quorum"';

/**
 * Takes the member of a host out of etcd, so that the host can come back with an empty disk. Keyed on the peer URL and
 * read before it is written: done twice it does nothing the second time.
 *
 * @param via a host whose own member has a quorum; never the host itself
 * @throws KubewrightError KW470 when those that stay, and are healthy, would be no quorum
 */
export async function removeMember(context: StepContext, via: RemoteHost, host: ClusterHost): Promise<void> {
  const { signal } = context;
  const members = (await listMembers(via, signal)) ?? [];
  const leaving = memberOf(members, host);
  if (leaving === undefined) return;
  if (!leaving.learner) {
    const staying = votersOf(members).filter(({ id }) => id !== leaving.id);
    const healthy = await healthyMembers(via, staying, signal);
    if (healthy.length < quorumOf(staying.length)) throw noQuorum(host, staying.length, healthy.length);
  }
  context.progress(`removing the former etcd member of ${host.name}`);
  await via.run(`${etcdctl()} member remove ${leaving.id}`, { signal });
}

function noQuorum(host: ClusterHost, staying: number, healthy: number): KubewrightError {
  return new KubewrightError(
    'KW470',
    `the former etcd member of ${host.name} cannot be removed: of the ${staying} that stay only ${healthy} are healthy, and ${quorumOf(staying)} are needed`,
    {
      host: host.name,
      hint: `Bring the other etcd members back, then retry the step. If they are lost, see ${QUORUM_RECOVERY}.`,
    },
  );
}
