import { artifactsFor } from '../../../../activities/artifacts.js';
import { architectureOf } from '../../../../activities/prepare/target.js';
import { applyNetworkObjects } from '../../objects/step.js';
import { manifestFile, renderCalico } from '../render/manifest.js';

/** Calico from its makers' manifest, with the file's network in it. Manifests are the same for every architecture. */
export const applyCalico = applyNetworkObjects(async ({ cluster, signal }, { remote }) => {
  const { stdout } = await remote.run('uname -m\n', { signal });
  const artifacts = await artifactsFor(cluster, architectureOf(stdout.trim()) ?? 'amd64');
  const text = await artifacts.manifest(manifestFile(cluster));
  return { plugin: 'calico', objects: renderCalico(text, cluster) };
});
