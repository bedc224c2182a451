import { artifactsFor } from '../../../../activities/artifacts.js';
import {
  findControlPlane,
  type ReadyControlPlane,
  requireControlPlane,
} from '../../../../activities/kubeadm/control-plane.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { KubewrightError } from '../../../../errors.js';
import { type FlannelManifest, MANIFEST, renderFlannel } from '../render/manifest.js';
import {
  architectureOfNetwork,
  type LivingNetwork,
  missingObjects,
  otherNetwork,
  readNetwork,
} from './living-network.js';

/**
 * Gives the cluster its pod network: flannel, rendered for this cluster and applied through a control plane. Done when every
 * object of the manifest is there and the DaemonSet carries the hash of exactly this manifest; that its pods run shows in
 * `verifyNodes`, for a node without network is not Ready. A living network of another kind is left alone.
 */
export const applyNetwork: StepImplementation = {
  async probe(context) {
    const via = await findControlPlane(context);
    if (via === undefined) {
      return { done: false, found: 'no control plane is ready', changes: ['apply flannel once the API is there'] };
    }
    const { manifest, living, missing } = await look(context, via);
    const problem = otherNetwork(context.cluster, living);
    if (problem !== undefined) return { done: false, found: problem.message, changes: [], problem };
    if (missing.length === 0 && living.hash === manifest.hash) {
      return { done: true, found: `flannel is applied with ${context.cluster.kubernetes.podSubnet}`, changes: [] };
    }
    return { done: false, found: describe(living, missing), changes: ['apply the flannel manifest'] };
  },

  async apply(context) {
    const via = await requireControlPlane(context);
    const { manifest, living } = await look(context, via);
    const problem = otherNetwork(context.cluster, living);
    if (problem !== undefined) throw problem;
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

function describe(living: LivingNetwork, missing: string[]): string {
  if (living.hash === '' && living.config === undefined) return 'there is no flannel';
  return missing.length > 0 ? `flannel lacks ${missing.join(', ')}` : 'flannel was applied with another manifest';
}

async function look(
  context: StepContext,
  via: ReadyControlPlane,
): Promise<{ manifest: FlannelManifest; living: LivingNetwork; missing: string[] }> {
  const living = await readNetwork(context, via);
  const artifacts = await artifactsFor(context.cluster, architectureOfNetwork(context.cluster, living));
  const manifest = renderFlannel(await artifacts.manifest(MANIFEST), context.cluster);
  return { manifest, living, missing: await missingObjects(context, via, manifest) };
}
