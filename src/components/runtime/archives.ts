import type { LocatedImage } from '../../bundle/bundle.js';
import { mirrored } from '../../cluster/private-registry.js';
import type { Cluster } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import type { Upload } from '../../hosts/types.js';

/** Archives lie here between upload and import, and nowhere else. */
export const ARCHIVES = '/var/lib/kubewright/bundle/images';

/** Where the archive of an image lies on a host, by its path in the bundle. */
export function archivePath(file: string): string {
  return `${ARCHIVES}/${file.slice(file.lastIndexOf('/') + 1)}`;
}

export function archiveUpload({ absolutePath, sha256, size, file }: LocatedImage): Upload {
  return { source: absolutePath, target: archivePath(file), sha256, size, mode: 0o600 };
}

/**
 * Names go into scripts as words of a line, so they must be names of images and nothing else.
 *
 * @throws KubewrightError KW731 where one is not
 */
export function checkedNames(images: LocatedImage[]): LocatedImage[] {
  for (const name of images.flatMap(({ names }) => names)) {
    if (/^[a-z0-9][\w.:/@-]*$/.test(name)) continue;
    throw new KubewrightError('KW731', `the bundle has an image with an impossible name: ${JSON.stringify(name)}`, {
      hint: 'Make the bundle again.',
    });
  }
  return images;
}

/** Stands for the archive of an image that the host pulls. */
export const PULLED = '-';

/** Whether hosts pull an image of the bundle from the user's registry, instead of getting its archive. */
export function isPulled(
  { packages: { registry } }: Pick<Cluster, 'packages'>,
  { names }: Pick<LocatedImage, 'names'>,
): boolean {
  return registry?.images === 'all' && names.every((name) => mirrored(registry, name) !== undefined);
}

/** Lines for a script: the archive of each image, or `PULLED`, and its names. */
export function imageLines(cluster: Pick<Cluster, 'packages'>, images: readonly LocatedImage[]): string[] {
  return images.map((image) => [isPulled(cluster, image) ? PULLED : archivePath(image.file), ...image.names].join(' '));
}

/** `registry.k8s.io/coredns/coredns:v1.12.1` → `coredns:v1.12.1`. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
