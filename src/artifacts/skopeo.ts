import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SKOPEO_FOLDER } from '../bundle/programs.js';
import { releaseDirectory } from '../render/program-paths.js';
import { carryPrograms, namedPackages, upstreamVersion } from './carried.js';
import { unpackDebianPackages } from './from-modules/debian.js';
import { listFiles } from './from-modules/debian-files.js';
import type { Architecture } from './recipes.js';

/** Raised with every change of what a bundle's skopeo is made of, or how. */
export const SKOPEO_REVISION = 1;

/** Debian's package, and those of the libraries that it needs; `libraryClosure` fails when one is missing here. */
const PACKAGES = [
  ...['skopeo', 'libgpgme11', 'libassuan0', 'libgpg-error0', 'libdevmapper1.02.1', 'libselinux1', 'libudev1'],
  ...['libpcre2-8-0', 'libc6'],
];

export interface SkopeoBuild {
  architecture: Architecture;
  /** Empty directory for packages and what is in them. */
  scratch: string;
  signal?: AbortSignal | undefined;
}

/**
 * Puts skopeo into a bundle, which brings images to CRI-O: its makers publish no programs, so it is Debian's, with its libraries and
 * the loader.
 *
 * @param directory of the bundle
 * @returns versions for bundle.json
 * @throws KW711 packages are not to be had; otherwise as `carryPrograms`
 */
export async function makeSkopeo(
  directory: string,
  { architecture, scratch, signal }: SkopeoBuild,
): Promise<Record<string, string>> {
  const { root, versions } = await unpackDebianPackages(PACKAGES, architecture, scratch, signal);
  const release = releaseName(versions);
  await carryPrograms({
    title: 'skopeo',
    root,
    files: await listFiles(root),
    programs: ['usr/bin/skopeo'],
    folder: join(directory, SKOPEO_FOLDER),
    home: releaseDirectory('skopeo', release),
    instead: 'Without `--runtime crio` the bundle has none.',
    signal,
  });
  return { skopeo: release, ...namedPackages(versions) };
}

/** A fixed library is another release too, and what runs is never written over. */
function releaseName(versions: Record<string, string>): string {
  const all = JSON.stringify([SKOPEO_REVISION, Object.entries(versions).sort()]);
  return `${upstreamVersion(versions.skopeo)}-${createHash('sha256').update(all).digest('hex').slice(0, 8)}`;
}
