import type { ImageQuery, LocatedImage } from '../../bundle/bundle.js';
import type { Role } from '../../cluster/types.js';

/** An image that hosts run, and how they get it. */
export interface SourcedImage {
  /** Full names, all of the same image. */
  names: readonly string[];
  /** What travels from the worker; left out: hosts pull the image by its name. */
  archive?: LocatedImage;
}

/** A manifest at an address of its makers', pinned. */
export interface PublishedManifest {
  /** As bundles have it, such as `manifests/kube-flannel.yml`. */
  path: string;
  url: string;
  /** Of its bytes, in hexadecimal. */
  sha256: string;
  /** Images that it runs: full names. */
  images: readonly string[];
}

/**
 * What a source has for hosts of one architecture, as far as it is known on the worker. What asks for it does not know whether it
 * travels from the worker or comes from somewhere else.
 */
export interface Artifacts {
  /** Full name of the image that holds each pod's namespaces, as the runtime is told it. @throws KubewrightError where there is none */
  pauseImage(): string;
  /** The images without which a host of a role does not come up. */
  images(role: Role, query: ImageQuery): SourcedImage[];
  /** The images that only checks use. */
  checkImages(): SourcedImage[];
  /**
   * A manifest as its makers publish it. Only this may have to be fetched; all else is known.
   *
   * @param path as bundles have it, such as `manifests/kube-flannel.yml`
   * @throws KubewrightError where it cannot be had
   */
  manifest(path: string): Promise<string>;
}
