import { readFile } from 'node:fs/promises';
import { file } from '../../bundle/bundle.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import {
  CONTENT_HASH_ANNOTATION,
  FLANNEL_DAEMONSET,
  FLANNEL_NAMESPACE,
  type FlannelManifest,
  renderFlannel,
} from '../../render/flannel.js';
import { findControlPlane, type ReadyControlPlane, requireControlPlane } from '../kubeadm/control-plane.js';
import { bundleFor } from '../prepare/target.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext, StepImplementation } from '../types.js';

/** Path in every bundle. */
const MANIFEST = 'manifests/kube-flannel.yml';

/**
 * Gives the cluster its pod network: flannel, rendered for this cluster and applied through a control plane. Done when the
 * DaemonSet carries the hash of exactly this manifest; that its pods run shows in `verifyNodes`, for a node without
 * network is not Ready.
 */
export const applyNetwork: StepImplementation = {
  async probe(context) {
    const via = await findControlPlane(context);
    if (via === undefined) {
      return { done: false, found: 'no control plane is ready', changes: ['apply flannel once the API is there'] };
    }
    const { manifest, applied } = await look(context, via);
    if (applied === manifest.hash) {
      return { done: true, found: `flannel is applied with ${context.cluster.kubernetes.podSubnet}`, changes: [] };
    }
    const present = applied === '' ? 'there is no flannel' : 'flannel was applied with another configuration';
    return { done: false, found: present, changes: ['apply the flannel manifest'] };
  },

  async apply(context) {
    const via = await requireControlPlane(context);
    const { manifest } = await look(context, via);
    const result = await via.remote.run(
      `${via.kubectl} apply --server-side --force-conflicts --field-manager=kubewright -f -`,
      {
        input: manifest.content,
        signal: context.signal,
        allowFailure: true,
        timeoutMs: 60_000,
      },
    );
    if (result.exitCode === 0) return;
    throw new KubewrightError('KW480', 'the API did not accept the flannel manifest', {
      host: via.host.name,
      output: result.stderr,
      hint: 'The last lines say which object was refused. Mend the cause, then retry the step.',
    });
  },
};

async function look(
  context: StepContext,
  via: ReadyControlPlane,
): Promise<{ manifest: FlannelManifest; applied: string }> {
  const path = CONTENT_HASH_ANNOTATION.replaceAll('.', '\\.');
  const facts = await gatherFacts(
    via.remote,
    `fact machine uname -m
fact hash ${via.kubectl} -n ${FLANNEL_NAMESPACE} get daemonset ${FLANNEL_DAEMONSET} -o ${quote(`jsonpath={.metadata.annotations.${path}}`)}`,
    context.signal,
  );
  // The manifest is the same in the bundles of all architectures; this one is sure to be there.
  const architecture = facts.text('machine') === 'aarch64' ? 'arm64' : 'amd64';
  const bundle = await bundleFor(context.cluster, architecture);
  const text = await readFile(file(bundle, MANIFEST).absolutePath, 'utf8');
  return { manifest: renderFlannel(text, context.cluster), applied: facts.text('hash') };
}
