import { readFile } from 'node:fs/promises';
import { architectureOf, bundleFor } from '../../../../activities/prepare/target.js';
import { file } from '../../../../bundle/bundle.js';
import { applyNetworkObjects } from '../../objects/step.js';
import { manifestFile, renderCalico } from '../render/manifest.js';

/** Calico from the bundle's manifest, with the file's network in it. Manifests are the same for every architecture. */
export const applyCalico = applyNetworkObjects(async ({ cluster, signal }, { remote }) => {
  const { stdout } = await remote.run('uname -m\n', { signal });
  const bundle = await bundleFor(cluster, architectureOf(stdout.trim()) ?? 'amd64');
  const text = await readFile(file(bundle, manifestFile(cluster)).absolutePath, 'utf8');
  return { plugin: 'calico', objects: renderCalico(text, cluster) };
});
