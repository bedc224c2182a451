import type { ClusterHost } from '../../cluster/types.js';
import { renderInitConfig } from '../../render/kubeadm.js';
import { KUBEADM_CONFIG_PATH } from '../../render/kubeadm-paths.js';
import { requireKnown } from '../answers.js';
import { namedFence, takeFence } from '../fence.js';
import { hostOf } from '../prepare/target.js';
import type { StepContext, StepImplementation } from '../types.js';
import { readyControlPlane } from './control-plane.js';
import { kubeletFacts, patchFiles } from './host-files.js';
import { renderInitScript } from './init-script.js';
import { completeNode, freshlyJoined, joinCluster, probeOf, recoverNode, SETTLES_MS } from './join/join.js';
import { lookAtNode } from './node/node-state.js';
import { originOf } from './origin.js';

const INIT_SECONDS = 900;

/**
 * Brings up the cluster on its first control plane; or, where the cluster lives on others and this host is new, joins it
 * to them. It never resets the host: once another control plane has joined, its etcd data is half of the quorum.
 *
 * @throws KubewrightError as `originOf` and `joinCluster`; KW468 when the cluster began here and does not recover, KW431
 * when a phase of `kubeadm init` fails
 */
export const initControlPlane: StepImplementation = {
  settlesMs: SETTLES_MS,

  async probe(context) {
    return probeOf(await lookAtNode(context), 'start the cluster with kubeadm init');
  },

  async apply(context) {
    const host = hostOf(context);
    await takeFence(context);
    const state = await lookAtNode(context);
    const self = readyControlPlane(context, host);
    // Recorded last: without it, phases behind the node itself (addons, rights of tokens) may be missing.
    if (state.faults.length === 0 && state.recorded) return completeNode(context, self, state);
    if ((await originOf(context, host, state.traces)) === 'elsewhere') return joinCluster(context);
    // The cluster has begun here and lives: it is waited for, as after a reboot. The phases again would put kubeadm's own
    // addons and settings over what has become of them since.
    const begun = requireKnown(state.joinedBefore, 'whether the cluster on it was finished', host.name);
    if (state.traces.is === 'yes' && begun.is === 'yes') {
      return completeNode(context, self, await recoverNode(context));
    }
    await init(context, host);
    const { caFingerprint } = await lookAtNode(context);
    await completeNode(context, self, { ...freshlyJoined(host), caFingerprint });
  },
};

async function init(context: StepContext, host: ClusterHost): Promise<void> {
  const { cluster } = context;
  const files = [
    { path: KUBEADM_CONFIG_PATH, content: renderInitConfig(cluster, host) },
    ...patchFiles(cluster, await kubeletFacts(context)),
  ];
  await context.durable('init', renderInitScript(cluster, host, files), {
    guard: namedFence(context),
    timeoutSeconds: INIT_SECONDS,
    hint: `The output says why. On ${host.name}, \`journalctl -u kubelet\` and \`crictl ps -a\` tell more. A retry goes on where this one stopped.`,
  });
}
