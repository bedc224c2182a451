import { uploadOf } from '../../../../activities/bundle-upload.js';
import type { ReadyControlPlane } from '../../../../activities/kubeadm/control-plane.js';
import { architectureOf, bundleFor } from '../../../../activities/prepare/target.js';
import { programUpload } from '../../../../activities/program-links.js';
import type { StepContext } from '../../../../activities/types.js';
import { type Bundle, file, missingImages } from '../../../../bundle/bundle.js';
import { placeProgram, releaseOf } from '../../../../bundle/programs.js';
import { KubewrightError } from '../../../../errors.js';
import type { Upload } from '../../../../hosts/types.js';
import { releaseDirectory } from '../../../../render/program-paths.js';
import { imagesOf, type ManifestObject, parseManifest } from '../../objects/objects.js';
import { applyNetworkObjects, type Tools } from '../../objects/step.js';
import { CHART } from '../render/chart.js';
import { helmScript } from '../render/helm.js';
import { ciliumValues } from '../render/values.js';

const RENDER_MS = 60_000;

/** What a control plane renders the chart with, and where. */
interface Placed {
  bundle: Bundle;
  helm: Upload;
  chart: Upload;
}

async function placed({ cluster, signal }: StepContext, { remote }: ReadyControlPlane): Promise<Placed> {
  const { stdout } = await remote.run('uname -m\n', { signal });
  const bundle = await bundleFor(cluster, architectureOf(stdout.trim()) ?? 'amd64');
  const target = `${releaseDirectory('cilium', releaseOf(bundle, 'cilium'))}/cilium.tgz`;
  const chart = uploadOf(file(bundle, CHART), target);
  return { bundle, helm: programUpload(placeProgram(bundle, 'helm')), chart };
}

const tools: Tools = {
  async missing(context, via) {
    const { helm, chart } = await placed(context, via);
    const missing = await via.remote.missingUploads([helm, chart], { signal: context.signal });
    return missing.map(({ target }) => (target === helm.target ? 'helm' : "Cilium's chart"));
  },

  async bring(context, via) {
    const { helm, chart } = await placed(context, via);
    const { signal } = context;
    await via.remote.upload([helm, chart], { signal, onProgress: (line) => context.progress(line) });
  },
};

/**
 * Cilium's chart as helm renders it with the values of the file, on a control plane, whose architecture the bundle's helm has. Nothing is
 * kept there of a release of helm's: what was applied the inventory says.
 *
 * @throws KubewrightError KW494 when helm does not render it, KW495 when it runs images that the bundle lacks
 */
async function render(context: StepContext, via: ReadyControlPlane): Promise<ManifestObject[]> {
  const { bundle, helm, chart } = await placed(context, via);
  const { cluster, signal } = context;
  const script = helmScript({ helm: helm.target, chart: chart.target, kubernetesVersion: cluster.kubernetes.version });
  const input = JSON.stringify(ciliumValues(cluster));
  const result = await via.remote.run(script, { input, signal, allowFailure: true, timeoutMs: RENDER_MS });
  const { objects, problems } = parseManifest({ from: CHART, content: result.stdout });
  const faults = problems.map(({ message, line }) => `line ${line}: ${message}`);
  // Made by the chart, it would be another one with each rendering, and nothing would ever be as it should be.
  if (objects.some(({ kind }) => kind === 'Secret')) faults.push('it makes a Secret');
  if (objects.length === 0) faults.push('it makes nothing');
  if (result.exitCode !== 0 || faults.length > 0) {
    throw new KubewrightError('KW494', "helm did not render Cilium's chart as it is known here", {
      host: via.host.name,
      output: result.exitCode === 0 ? faults.join('\n') : result.stderr,
      hint: 'Make the bundle again with this version of Kubewright, which pins both, or report it with the output.',
    });
  }
  const lacking = missingImages(bundle, imagesOf(objects));
  if (lacking.length === 0) return objects;
  throw new KubewrightError('KW495', `the bundle ${bundle.directory} lacks images of Cilium: ${lacking.join(', ')}`, {
    host: via.host.name,
    hint: 'Nothing was applied. Make the bundle again with `kubewright bundle create --from official --network cilium`.',
  });
}

/** Cilium from the bundle's chart, with what the file says. */
export const applyCilium = applyNetworkObjects(
  async (context, via) => ({ plugin: 'cilium', objects: await render(context, via) }),
  tools,
);
