import type { LocatedImage } from '../../bundle/bundle.js';
import { mirrored } from '../../cluster/private-registry.js';
import type { Cluster } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import type { Upload } from '../../hosts/types.js';
import type { SourcedImage } from '../artifacts/artifacts.js';

/** Archives lie here between upload and import, and nowhere else. */
export const ARCHIVES = '/var/lib/kubewright/bundle/images';

/** Where the archive of an image lies on a host, by its path in the bundle. */
export function archivePath(file: string): string {
  return `${ARCHIVES}/${file.slice(file.lastIndexOf('/') + 1)}`;
}

function archiveUpload({ absolutePath, sha256, size, file }: LocatedImage): Upload {
  return { source: absolutePath, target: archivePath(file), sha256, size, mode: 0o600 };
}

/**
 * Names go into scripts as words of a line, so they must be names of images and nothing else.
 *
 * @throws KubewrightError KW731 where one is not
 */
export function checkedNames(images: SourcedImage[]): SourcedImage[] {
  for (const name of images.flatMap(({ names }) => names)) {
    if (/^[a-z0-9][\w.:/@-]*$/.test(name)) continue;
    throw new KubewrightError('KW731', `an image has an impossible name: ${JSON.stringify(name)}`, {
      hint: 'Where it is of a bundle, make the bundle again.',
    });
  }
  return images;
}

/** Stands for the archive of an image that the host pulls. */
export const PULLED = '-';

/** Whether hosts pull an image of the bundle from the user's registry, instead of getting its archive. */
export function isPulled(
  { packages: { registry } }: Pick<Cluster, 'packages'>,
  { names }: Pick<SourcedImage, 'names'>,
): boolean {
  return registry?.images === 'all' && names.every((name) => mirrored(registry, name) !== undefined);
}

/** The archive of an image that travels from the worker; undefined for one that hosts pull. */
export function archiveOf(cluster: Pick<Cluster, 'packages'>, image: SourcedImage): LocatedImage | undefined {
  return isPulled(cluster, image) ? undefined : image.archive;
}

/** What has to travel for these images. */
export function archiveUploads(cluster: Pick<Cluster, 'packages'>, images: readonly SourcedImage[]): Upload[] {
  return images.flatMap((image) => archiveOf(cluster, image) ?? []).map(archiveUpload);
}

/** Lines for a script: the archive of each image, or `PULLED`, and its names. */
export function imageLines(cluster: Pick<Cluster, 'packages'>, images: readonly SourcedImage[]): string[] {
  return images.map((image) => {
    const archive = archiveOf(cluster, image);
    return [archive === undefined ? PULLED : archivePath(archive.file), ...image.names].join(' ');
  });
}

/** `registry.k8s.io/coredns/coredns:v1.12.1` → `coredns:v1.12.1`. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
