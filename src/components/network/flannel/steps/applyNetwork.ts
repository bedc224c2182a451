import { artifactsFor } from '../../../../activities/artifacts.js';
import {
  findControlPlane,
  type ReadyControlPlane,
  requireControlPlane,
} from '../../../../activities/kubeadm/control-plane.js';
import type { Probe, StepContext, StepImplementation } from '../../../../activities/types.js';
import { isKubewrightError, KubewrightError } from '../../../../errors.js';
import { FLANNEL_MANIFEST } from '../../published.js';
import { type FlannelManifest, MANIFEST, renderFlannel } from '../render/manifest.js';
import {
  architectureOfNetwork,
  type LivingNetwork,
  missingObjects,
  otherNetwork,
  readNetwork,
} from './living-network.js';

const PUBLISHED_OBJECTS = FLANNEL_MANIFEST.objects.map((each) => {
  const [kind = '', name = ''] = each.split('/');
  return { kind, name };
});

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
    const living = await readNetwork(context, via);
    const problem = otherNetwork(context.cluster, living);
    if (problem !== undefined) return { done: false, found: problem.message, changes: [], problem };
    const manifest = await wantedManifest(context, living).catch((error: unknown) => notHad(error));
    if (isKubewrightError(manifest)) return await withoutManifest(context, via, living, manifest);
    const missing = await missingObjects(context, via, manifest.objects);
    if (missing.length === 0 && living.hash === manifest.hash) {
      return { done: true, found: `flannel is applied with ${context.cluster.kubernetes.podSubnet}`, changes: [] };
    }
    return { done: false, found: describe(living, missing), changes: ['apply the flannel manifest'] };
  },

  async apply(context) {
    const via = await requireControlPlane(context);
    const living = await readNetwork(context, via);
    const problem = otherNetwork(context.cluster, living);
    if (problem !== undefined) throw problem;
    const manifest = await wantedManifest(context, living);
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

async function wantedManifest({ cluster }: StepContext, living: LivingNetwork): Promise<FlannelManifest> {
  const artifacts = await artifactsFor(cluster, architectureOfNetwork(cluster, living));
  return renderFlannel(await artifacts.manifest(MANIFEST), cluster);
}

/** The worker does not get the manifest. @throws the error where it is another one */
function notHad(error: unknown): KubewrightError {
  if (isKubewrightError(error) && error.code === 'KW378') return error;
  throw error;
}

/**
 * A cluster that has all of flannel needs no manifest, and must be mendable from a worker that gets none. Whether it was applied with
 * just this one is told as not compared.
 *
 * @throws the error where the manifest is needed: something is missing
 */
async function withoutManifest(
  context: StepContext,
  via: ReadyControlPlane,
  living: LivingNetwork,
  error: KubewrightError,
): Promise<Probe> {
  const missing = await missingObjects(context, via, PUBLISHED_OBJECTS);
  if (living.hash === '' || missing.length > 0) throw error;
  return {
    done: true,
    found: `flannel is applied with ${context.cluster.kubernetes.podSubnet}`,
    changes: [],
    warnings: [`it was not compared with its manifest: ${error.message}`],
  };
}
