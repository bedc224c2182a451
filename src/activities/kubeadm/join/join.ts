import { createHash, X509Certificate } from 'node:crypto';
import type { ClusterHost } from '../../../cluster/types.js';
import { QUORUM_RECOVERY, removeMember, removeStaleLearners } from '../../../components/etcd/members/remove-member.js';
import { KubewrightError } from '../../../errors.js';
import { lookUntil, notYet, seen } from '../../../waiting.js';
import type { No } from '../../answers.js';
import { namedFence, takeFence } from '../../fence.js';
import { recordOwner } from '../../prepare/ownership.js';
import { hostOf } from '../../prepare/target.js';
import type { Probe, StepContext } from '../../types.js';
import { waitOf } from '../../verify/await-state.js';
import { type ReadyControlPlane, requireControlPlane } from '../control-plane.js';
import { kubeletFacts, patchFiles } from '../host-files.js';
import { CA_CERTIFICATE } from '../node/api-get.js';
import { freshNode, metadataCommands } from '../node/node-object.js';
import { KUBELET_KUBECONFIG, lookAtNode, type NodeState } from '../node/node-state.js';
import { deleteNode } from './delete-node.js';
import { hasJoined, hasStackedEtcd, lookAtMembership, type Membership } from './membership.js';
import { renderJoinScript } from './script.js';
import { mintJoinSecrets, revokeJoinSecrets } from './secrets.js';

const JOIN_SECONDS = 900;
/** As long as static pods take to come up after a reboot on a busy machine. */
const RECOVERY_MS = 150_000;

/** What is to be done for a host to be a whole member of the cluster. */
export function probeOf(state: NodeState, todo: string): Probe {
  const changes = [
    ...(state.faults.length === 0 ? [] : [todo]),
    ...state.metadata.map((command) => `kubectl ${command}`),
    ...(state.faults.length > 0 || state.recorded ? [] : ["record the cluster's CA in the ownership record"]),
  ];
  const version = state.node.is === 'yes' ? state.node.value.kubeletVersion : 'an unknown version';
  const found = state.faults.length === 0 ? `it is a member of the cluster with ${version}` : state.faults.join('; ');
  // Nothing is known to be wrong, and something is not known.
  const isUntold = state.faults.length > 0 && state.faults.length === state.unasked.length;
  return { done: changes.length === 0, found, changes, ...(isUntold ? { unasked: found } : {}) };
}

/** A kubelet and static pods that have just come up may fail a probe once; on a busy host for a while. */
export const SETTLES_MS = 60_000;

/**
 * Makes the step's host a member of a cluster that is there. A host that is one already is brought back, one that is none
 * is joined, after what an earlier join left on it and in the cluster was taken away.
 *
 * @throws KubewrightError KW464 when no other control plane is ready, KW435 (transient) when neither host nor cluster tell
 * whether it is a member, KW468 when it is one but does not recover, KW470 when its former etcd member cannot be removed,
 * KW431 when `kubeadm join` fails
 */
export async function joinCluster(context: StepContext): Promise<void> {
  const host = hostOf(context);
  // Before the host is looked at: what follows from the look is this attempt's to do, and no earlier one's.
  await takeFence(context);
  const [state, via] = await Promise.all([lookAtNode(context), requireControlPlane(context, host)]);
  if (state.faults.length === 0) return completeNode(context, via, state);
  const membership = await lookAtMembership(context, via, host);
  const joined = hasJoined(context, host, state, membership);
  if (joined.is === 'unknown') throw cannotTell(host, joined.why);
  if (joined.is === 'yes') return completeNode(context, via, await recoverNode(context, membership));
  const ca = await join(context, via, { host, permit: joined, blank: state.traces.is === 'no' });
  await completeNode(context, via, { ...freshlyJoined(host), caFingerprint: fingerprintOf(ca) });
}

function cannotTell(host: ClusterHost, why: string): KubewrightError {
  return new KubewrightError('KW435', `cannot tell whether ${host.name} is a member of the cluster: ${why}`, {
    host: host.name,
    transient: true,
    hint: 'Nothing was changed, and it is asked again by itself. If it stays so, mend what the message names: a host that may be a member is never reset.',
  });
}

/** A host that is to be joined, and the answer that permits what a new join takes away. */
interface Joining {
  host: ClusterHost;
  permit: No;
  /** Whether the host itself says that nothing of a cluster is on it: then what the cluster knows of it is a former one. */
  blank: boolean;
}

/** @returns the cluster's CA certificate */
async function join(context: StepContext, via: ReadyControlPlane, joining: Joining): Promise<Buffer> {
  const { host } = joining;
  const [facts, ca] = await Promise.all([kubeletFacts(context), readCa(via)]);
  const script = renderJoinScript(context.cluster, host, ca, patchFiles(context.cluster, facts));
  await context.durable('join', script, {
    guard: namedFence(context),
    timeoutSeconds: JOIN_SECONDS,
    // Called only when no join of this host runs: what a former one left may be taken away now, and not before.
    secrets: async () => {
      await clearTheWay(context, via, joining);
      return mintJoinSecrets(context, via, host);
    },
    hint: `The output says why. On ${host.name}, \`journalctl -u kubelet\` and \`crictl ps -a\` tell more; whether it reaches the control planes and the virtual IP, \`kubewright plan\` does. A retry takes away what this join left and joins anew.`,
  });
  await revokeJoinSecrets(context, via, host);
  return ca;
}

async function readCa(via: ReadyControlPlane): Promise<Buffer> {
  const ca = await via.remote.readFile(CA_CERTIFICATE);
  if (ca !== undefined) return ca;
  throw new KubewrightError('KW469', `${CA_CERTIFICATE} is missing on a control plane whose API server runs`, {
    host: via.host.name,
    hint: 'Copy it from another control plane, then retry the step.',
  });
}

/**
 * Takes a host that is no member out of the cluster's books: its etcd member (a learner, or a lost vote) and its node.
 * Learners of others go too: control planes join one after the other, so now none can be on its way.
 */
async function clearTheWay(context: StepContext, via: ReadyControlPlane, joining: Joining): Promise<void> {
  const { host, permit } = joining;
  if (hasStackedEtcd(context, host)) {
    await removeMember(context, via.remote, host, permit);
    await removeStaleLearners(context, via.remote, []);
  }
  await deleteNode(context, via, joining);
}

/**
 * Brings back a host that is a member: restarts its kubelet, which also registers a node that was deleted, and waits for
 * the rest to come up. Never resets the host: whatever keeps it down, its data may be needed.
 *
 * @param membership what the cluster says of it, where it was asked
 * @throws KubewrightError KW468 when it does not recover
 */
export async function recoverNode(context: StepContext, membership?: Membership): Promise<NodeState> {
  await context.host.run(WAKE_KUBELET, { signal: context.signal });
  let faults: string[] = [];
  const look = async () => {
    const state = await lookAtNode(context);
    faults = state.faults;
    return faults.length === 0 ? seen(state) : notYet(`waiting for the host to recover: ${faults.join('; ')}`);
  };
  const whole = await lookUntil(look, { patienceMs: RECOVERY_MS, everyMs: 1_000, ...waitOf(context) });
  if (whole === undefined) throw notWhole(context, faults, membership);
  await context.host.run(FORGET_BOOTSTRAP, { signal: context.signal });
  return whole;
}

/** A kubelet younger than this, in seconds, has not had its chance yet: a restart would throw it back. */
const KUBELET_YOUTH = 120;

/** Exported for its test in a real bash. */
export const WAKE_KUBELET = `systemctl enable --quiet kubelet
since=$(systemctl show --property=ActiveEnterTimestampMonotonic --value kubelet)
read -r now _ </proc/uptime
if ! systemctl --quiet is-active kubelet || [ $((\${now%.*} - since / 1000000)) -gt ${KUBELET_YOUTH} ]; then
  systemctl restart kubelet
fi
`;

/** A join that was cut off leaves what its kubelet was let in with; kubeadm removes it when the kubelet has a certificate. */
const FORGET_BOOTSTRAP = `[ ! -e ${KUBELET_KUBECONFIG} ] || rm -f /etc/kubernetes/bootstrap-kubelet.conf
`;

/**
 * What to do is said without a word of a reset: that would be the end of a host which may only not be seen. With one
 * exception: etcd itself says that the host has no vote any more, so somebody took its member out on purpose.
 */
function notWhole(context: StepContext, faults: string[], membership?: Membership): KubewrightError {
  const { name } = context.host;
  const host = hostOf(context);
  const quorum =
    host.role === 'control-plane'
      ? ` If etcd lost its quorum with hosts that are gone for good, see ${QUORUM_RECOVERY}.`
      : '';
  const takenOut = hasStackedEtcd(context, host) && membership?.etcd.is === 'no';
  const removed = takenOut
    ? ` etcd has no member of ${name} any more: if it was taken out on purpose, reset the host (\`kubeadm reset\` there, which deletes its copy of etcd's data), then retry.`
    : '';
  return new KubewrightError(
    'KW468',
    `the host is a member of the cluster, but not a whole one: ${faults.join('; ')}`,
    {
      host: name,
      hint: `Kubewright does not reset a member by itself. Mend what is named (\`journalctl -u kubelet\`, \`crictl ps -a\`), then retry the step.${quorum}${removed}`,
    },
  );
}

/** What is known of a node right after kubeadm is done with it, without asking. */
export function freshlyJoined(host: ClusterHost): Pick<NodeState, 'metadata' | 'recorded'> {
  return { metadata: metadataCommands(host, freshNode(host)), recorded: false };
}

/** As the preflight computes it on a host: SHA-256 of the certificate's DER form. */
export function fingerprintOf(certificate: Buffer): string {
  return `sha256:${createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex')}`;
}

/** Labels and taints of cluster.yaml, and the CA in the ownership record. */
export async function completeNode(
  context: StepContext,
  via: ReadyControlPlane,
  { metadata, recorded, caFingerprint }: Pick<NodeState, 'metadata' | 'recorded' | 'caFingerprint'>,
): Promise<void> {
  const script = metadata.map((command) => `${via.kubectl} ${command} || exit 1\n`).join('');
  await Promise.all([
    script === '' ? undefined : via.remote.run(script, { signal: context.signal }),
    recorded || caFingerprint === undefined
      ? undefined
      : recordOwner(context.host, context.cluster, hostOf(context), caFingerprint),
  ]);
}
