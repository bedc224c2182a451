import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { KubewrightError, messageOf } from '../errors.js';
import { sha256OfFile } from './digest.js';
import { type Bundle, type BundleFile, type BundleImage, bundleManifest } from './schema.js';

export type { Bundle, BundleFile, BundleImage } from './schema.js';

/** The command that makes a bundle: every hint ends in it. */
export function bundleCommandFor(kubernetesVersion: string, architecture: string): string {
  return `kubewright bundle create --kubernetes ${kubernetesVersion} --arch ${architecture}`;
}

/** Descriptions that were read, by their paths, each with what tells that the file is still the same one. */
const descriptions = new Map<string, { version: string; bundle: Bundle }>();

/**
 * Reads `bundle.json` of a bundle directory. Quick: the files themselves are not looked at (see `verifyBundle`), and a file
 * that was read before only where it has changed, for several steps of each host ask for it.
 *
 * @throws KW730 when there is none, KW731 when it is not a bundle.json or damaged, with every fault at once
 */
export async function readBundle(directory: string): Promise<Bundle> {
  const path = join(resolve(directory), 'bundle.json');
  try {
    const version = await versionOf(path);
    const known = descriptions.get(path);
    if (known?.version === version) return known.bundle;
    const { apiVersion: _, kind: __, ...manifest } = parseManifest(path, await readFile(path, 'utf8'));
    const bundle = { directory: resolve(directory), ...manifest };
    descriptions.set(path, { version, bundle });
    return bundle;
  } catch (cause) {
    if (cause instanceof KubewrightError) throw cause;
    throw new KubewrightError('KW730', `There is no bundle in ${resolve(directory)}: ${messageOf(cause)}.`, {
      hint: `Make one with \`${bundleCommandFor('1.34.3', 'amd64')}\`, or give the directory that holds bundle.json.`,
      cause,
    });
  }
}

/** Changes whenever the file is written or replaced. */
async function versionOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

function parseManifest(path: string, text: string): z.infer<typeof bundleManifest> {
  const damaged = (what: string, cause?: unknown): KubewrightError =>
    new KubewrightError('KW731', `${path} is not a bundle's description: ${what}`, {
      hint: 'It was cut short, edited, or made by another version of Kubewright: make the bundle again.',
      cause,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(`${messageOf(cause)}.`, cause);
  }
  const result = bundleManifest.safeParse(json);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.') || 'bundle.json'}: ${issue.message}`);
  throw damaged(faults.join('; '), result.error);
}

/** A file as it lies in a bundle's directory: packed or not, or an image's archive. */
export interface BundleContent {
  /** Relative to the bundle. */
  path: string;
  sha256: string;
  /** Bytes. */
  size: number;
}

/** What lies in a bundle's directory beside `bundle.json`. */
export function contentsOf({ files, images }: Pick<Bundle, 'files' | 'images'>): BundleContent[] {
  return [...files.map(contentOf), ...images.map(({ file: path, sha256, size }) => ({ path, sha256, size }))];
}

function contentOf({ path, sha256, size, packed }: BundleFile): BundleContent {
  return packed ? { path: `${path}.gz`, ...packed } : { path, sha256, size };
}

/** Bytes that a bundle takes on this machine's disk, apart from `bundle.json`. */
export function sizeOnDisk(bundle: Pick<Bundle, 'files' | 'images'>): number {
  return contentsOf(bundle).reduce((sum, { size }) => sum + size, 0);
}

/**
 * Reads every file of a bundle and compares it with what `bundle.json` says. About two seconds for a gigabyte. Nothing is
 * unpacked: each host does that, and verifies it.
 *
 * @throws KW732 with all files that are missing or not what they were
 */
export async function verifyBundle(bundle: Bundle): Promise<void> {
  const faults: string[] = [];
  for (const { path, sha256, size } of contentsOf(bundle)) {
    const fault = await compare(join(bundle.directory, path), sha256, size);
    if (fault) faults.push(`${path} ${fault}`);
  }
  if (faults.length === 0) return;
  throw new KubewrightError('KW732', `The bundle ${bundle.directory} is damaged: ${faults.join('; ')}.`, {
    hint: `Remove the directory and make it again with \`${remake(bundle)}\`.`,
  });
}

async function compare(path: string, sha256: string, size: number): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return 'is missing';
  if (found.size !== size) return `has ${found.size} bytes instead of ${size}`;
  return (await sha256OfFile(path)) === sha256 ? undefined : 'has other content (SHA-256 differs)';
}

function remake(bundle: Bundle): string {
  return `${bundleCommandFor(bundle.kubernetesVersion, bundle.architecture)} --from ${bundle.source}`;
}

/** A file of a bundle with the place of what lies there of it on this machine: packed where `packed` says so. */
export type LocatedFile = BundleFile & { absolutePath: string };
/** An image of a bundle with its archive's place on this machine. */
export type LocatedImage = BundleImage & { absolutePath: string };

/**
 * One file of the bundle by its path in it, such as `bin/kubelet`.
 *
 * @throws KW733 when the bundle has no such file
 */
export function file(bundle: Bundle, path: string): LocatedFile {
  const found = bundle.files.find((candidate) => candidate.path === path);
  if (found) return locateFile(bundle, found);
  throw new KubewrightError('KW733', `The bundle ${bundle.directory} has no ${path}.`, {
    hint: `It was made by another version of Kubewright: make it again with \`${remake(bundle)}\`.`,
  });
}

/** All files below a folder of the bundle, such as `cni`. */
export function filesBelow(bundle: Bundle, folder: string): LocatedFile[] {
  return bundle.files
    .filter((candidate) => candidate.path.startsWith(`${folder}/`))
    .map((found) => locateFile(bundle, found));
}

function locateFile(bundle: Bundle, found: BundleFile): LocatedFile {
  return { ...found, absolutePath: join(bundle.directory, contentOf(found).path) };
}

/** Hosts need different images: by role, and by where etcd runs. */
export interface ImageQuery {
  /** Whether a control plane holds a member of etcd. */
  holdsMember: boolean;
  /** Beginnings of the names of images that control planes need for their load balancer. */
  loadBalancer: readonly string[];
  /** Whether an image is needed that the bundle has for some pod networks alone. Left out: none is. */
  ofNetwork?: (image: BundleImage) => boolean;
}

/**
 * The images without which a host of this role does not come up, and no others: unpacking them is the longest part of
 * an installation. Images for checks come apart (`checkImages`), for nothing waits for them.
 *
 * CoreDNS counts as needed everywhere, because the scheduler may put it everywhere.
 */
export function imagesFor(
  bundle: Bundle,
  role: 'control-plane' | 'worker' | 'etcd' | 'director',
  { holdsMember, loadBalancer, ofNetwork = () => false }: ImageQuery,
): LocatedImage[] {
  if (role === 'director') return [];
  // An etcd-only host runs static pods and nothing else: etcd, and pause, which holds each pod's namespaces.
  if (role === 'etcd') return [pauseImage(bundle), ...imagesNeededBy(bundle, 'etcd')];
  const everywhere = imagesNeededBy(bundle, 'every-node').filter(
    (each) => each.network === undefined || ofNetwork(each),
  );
  if (role === 'worker') return everywhere;
  const etcd = holdsMember ? imagesNeededBy(bundle, 'etcd') : [];
  const balancer = imagesNeededBy(bundle, 'load-balancer').filter(({ names }) =>
    loadBalancer.some((prefix) => names.some((name) => name.startsWith(prefix))),
  );
  return [...imagesNeededBy(bundle, 'control-plane'), ...etcd, ...balancer, ...everywhere];
}

/** The images that only checks use (agnhost, which asks DNS from inside a pod). */
export function checkImages(bundle: Bundle): LocatedImage[] {
  return imagesNeededBy(bundle, 'check');
}

/**
 * The image that holds each pod's namespaces: containerd has to be told its name (`sandbox_image`).
 *
 * @throws KW734 when the bundle has none
 */
export function pauseImage(bundle: Bundle): LocatedImage {
  return image(bundle, 'registry.k8s.io/pause:');
}

/**
 * An image by the beginning of its name, such as `registry.k8s.io/kube-proxy:`.
 *
 * @param options of `bundle create` that bring it, with a space in front; left out: every bundle of the same source has it
 * @throws KW734 when the bundle has none
 */
export function image(bundle: Bundle, namePrefix: string, options = ` --from ${bundle.source}`): LocatedImage {
  const found = bundle.images.find(({ names }) => names.some((name) => name.startsWith(namePrefix)));
  if (found) return locate(bundle, found);
  throw new KubewrightError('KW734', `The bundle ${bundle.directory} has no image ${namePrefix}….`, {
    hint: `Make the bundle again with \`${bundleCommandFor(bundle.kubernetesVersion, bundle.architecture)}${options}\`.`,
  });
}

/**
 * Names of images that are wanted and that the bundle does not have, in the order given. For comparing a bundle with
 * `kubeadm config images list`.
 */
export function missingImages(bundle: Bundle, wanted: string[]): string[] {
  const names = new Set(bundle.images.flatMap((candidate) => candidate.names));
  return wanted.filter((name) => !names.has(name));
}

function imagesNeededBy(bundle: Bundle, neededBy: BundleImage['neededBy']): LocatedImage[] {
  return bundle.images.filter((candidate) => candidate.neededBy === neededBy).map((found) => locate(bundle, found));
}

function locate(bundle: Bundle, found: BundleImage): LocatedImage {
  return { ...found, absolutePath: join(bundle.directory, found.file) };
}
