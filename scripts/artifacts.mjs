// What lab and workflow tests run on: found in the cache, or built into it. Works on the build's output, so it comes after
// `installAndBuild`.
import { stage } from './setup.mjs';

const log = (line) => console.log(`    ${line}`);

/** Temporal's server and UI: about three minutes on two cores when cold, nothing when warm. */
export async function ensureServer() {
  const { ensureTemporal } = await import('../dist/src/artifacts/temporal.js');
  await stage('Temporal server and UI', () => ensureTemporal({ log }));
}

/**
 * Server, UI and the bundle of the default Kubernetes version: about a quarter of an hour when cold. With those of other
 * versions, which share most modules, a third more for each; that of the other architecture shares nothing that is compiled.
 */
export async function ensureEverything({ others = [], otherArchitecture = false } = {}) {
  const { ensureAllArtifacts } = await import('../dist/lab/artifacts/prefetch.js');
  const { DEFAULTS } = await import('../dist/src/cluster/defaults.js');
  const { version } = DEFAULTS.kubernetes;
  const versions = [version, ...others].join(' and ');
  const make = () => ensureAllArtifacts({ version, others, otherArchitecture, log });
  const both = otherArchitecture ? ', for two architectures' : '';
  return await stage(`Temporal and the bundle of Kubernetes ${versions}${both}`, make);
}

/** Whether hosts of another architecture than this machine's can be had without half an hour of work. */
export async function hasOtherArchitecture() {
  const { hasOtherArchitecture: asked } = await import('../dist/lab/artifacts/prefetch.js');
  const { DEFAULTS } = await import('../dist/src/cluster/defaults.js');
  return await asked(DEFAULTS.kubernetes.version);
}

/** kubectl of a bundle, to be run on this machine. @param directory the bundle's */
export async function kubectlOf(directory) {
  const { readBundle } = await import('../dist/src/bundle/bundle.js');
  const { programOf } = await import('../dist/lab/artifacts/programs.js');
  return await programOf(await readBundle(directory), 'bin/kubectl');
}
