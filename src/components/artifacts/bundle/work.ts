import { readFile } from 'node:fs/promises';
import { bundleFor } from '../../../activities/prepare/target.js';
import { checkImages, file, imagesFor, type LocatedImage, pauseImage } from '../../../bundle/bundle.js';
import { type ArtifactWork, NOTHING_TO_CHECK } from '../../work-types.js';
import type { SourcedImage } from '../artifacts.js';

/** What a bundle has is judged with the other questions about a host: what a choice wants of it, and whether it fits there. */
export const work: ArtifactWork = {
  ...NOTHING_TO_CHECK,
  bundle: bundleFor,
  unavailable: async () => [],
  async artifacts(cluster, architecture) {
    const bundle = await bundleFor(cluster, architecture);
    return {
      pauseImage: () => pauseImage(bundle).names[0] ?? '',
      images: (role, query) => imagesFor(bundle, role, query).map(archived),
      checkImages: () => checkImages(bundle).map(archived),
      manifest: (path) => readFile(file(bundle, path).absolutePath, 'utf8'),
    };
  },
};

function archived(archive: LocatedImage): SourcedImage {
  return { names: archive.names, archive };
}
