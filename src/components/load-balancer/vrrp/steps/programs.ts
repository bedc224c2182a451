import { uploadOf } from '../../../../activities/bundle-upload.js';
import { bundleOf } from '../../../../activities/prepare/target.js';
import type { StepContext } from '../../../../activities/types.js';
import { filesBelow } from '../../../../bundle/bundle.js';
import { LOAD_BALANCER_FOLDER, type PlacedProgram, placeProgram, releaseOf } from '../../../../bundle/programs.js';
import type { Upload } from '../../../../hosts/types.js';
import { releaseDirectory } from '../../../../render/program-paths.js';

/** A bundle's HAProxy and keepalived, and where they belong on a host. */
export interface BundledPrograms {
  /** Directory of the release, which holds their libraries too. */
  release: string;
  uploads: Upload[];
  /** Those that a person may call, linked into PATH. */
  linked: PlacedProgram[];
}

/**
 * What the bundle has for the step's host.
 *
 * @param names of the programs that the host runs
 * @throws KubewrightError KW733 when the bundle has no load balancer, and as `bundleOf`
 */
export async function programsOfBundle(
  context: StepContext,
  names: readonly ('haproxy' | 'keepalived')[],
): Promise<BundledPrograms> {
  const bundle = await bundleOf(context);
  const release = releaseDirectory('load-balancer', releaseOf(bundle, 'load-balancer'));
  const files = filesBelow(bundle, LOAD_BALANCER_FOLDER);
  return {
    release,
    uploads: files.map((file) => uploadOf(file, `${release}/${nameOf(file.path)}`)),
    linked: names.map((name) => placeProgram(bundle, name)),
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
