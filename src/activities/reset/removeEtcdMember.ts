import { leaveEtcd } from '../../components/etcd/members/leave.js';
import { memberOf, quorumOf, votersOf } from '../../components/etcd/members/members.js';
import { QUORUM_RECOVERY } from '../../components/etcd/members/remove-member.js';
import { KubewrightError } from '../../errors.js';
import { requireYes } from '../answers.js';
import { hostOf } from '../prepare/target.js';
import type { StepContext, StepImplementation } from '../types.js';
import { findVoter, type Voter } from './one-host.js';

/**
 * Takes the member of the step's host out of etcd: asked of another voter, by its id, and only while those that stay are a quorum. From
 * then on its host has no API server, so this comes behind the drain.
 */
export const removeEtcdMember: StepImplementation = {
  async probe(context) {
    const host = hostOf(context);
    const { members } = await voter(context);
    const leaving = memberOf(members, host);
    if (leaving === undefined) return { done: true, found: `etcd has no member at ${host.address}`, changes: [] };
    const voters = votersOf(members).length;
    const after = leaving.learner ? voters : voters - 1;
    return {
      done: false,
      found: `it is member ${leaving.id} of etcd`,
      changes: [
        `remove member ${leaving.id} from etcd: ${voters} voters and a quorum of ${quorumOf(voters)} become ${after} and ${quorumOf(after)}`,
      ],
    };
  },

  /** @throws KubewrightError KW403 when those that stay, and are healthy, would be no quorum */
  async apply(context) {
    const host = hostOf(context);
    const found = await voter(context);
    const leaving = memberOf(found.members, host);
    if (leaving === undefined) return;
    context.progress(`removing the etcd member ${leaving.id} of ${host.name}`);
    const outcome = await leaveEtcd(context, found, leaving);
    if (typeof outcome === 'string') return;
    const staying = votersOf(found.members).length - 1;
    throw new KubewrightError(
      'KW403',
      `its member cannot leave etcd: of the ${staying} that stay only ${outcome.healthy} are healthy, and ${quorumOf(staying)} are needed`,
      {
        host: host.name,
        hint: `Bring the other etcd members back, then retry the step. If they are lost, see ${QUORUM_RECOVERY}.`,
      },
    );
  },
};

/** @throws KubewrightError KW433 (transient) when no other member tells */
async function voter(context: StepContext): Promise<Voter> {
  return requireYes(await findVoter(context, hostOf(context)), 'which members etcd has');
}
