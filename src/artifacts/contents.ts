import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { parseAllDocuments } from 'yaml';
import { sha256OfFile } from '../bundle/digest.js';
import { LOAD_BALANCER_FOLDER, SKOPEO_FOLDER } from '../bundle/programs.js';
import type { BundleFile, BundleImage, BundleManifest, Vouched } from '../bundle/schema.js';
import { KubewrightError } from '../errors.js';
import { packFile } from './packing.js';
import type { Architecture } from './recipes.js';

/** Raise this when files lie in a bundle in another way, or both makers put others in: it is part of the bundle's key in the cache. */
export const CONTENTS_REVISION = 4;

/** Folders of a bundle that hold single files: the mode these get on a host, and whether they lie packed in the bundle. */
const FOLDERS: Record<string, { mode: number; packed: boolean }> = {
  bin: { mode: 0o755, packed: true },
  cni: { mode: 0o755, packed: true },
  [LOAD_BALANCER_FOLDER]: { mode: 0o755, packed: true },
  [SKOPEO_FOLDER]: { mode: 0o755, packed: true },
  manifests: { mode: 0o644, packed: false },
};

/** Programs of a bundle that hosts or people run; the other ones that are built live in images only. */
export const HOST_PROGRAMS = [
  ...['kubeadm', 'kubelet', 'kubectl', 'crictl', 'etcd', 'etcdctl', 'etcdutl'],
  ...['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc'],
];

export const CNI_PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap', 'firewall', 'tuning', 'bandwidth'];

/** flannel's manifest in a bundle. */
export const FLANNEL_MANIFEST = 'manifests/kube-flannel.yml';

/** What a maker of bundles knows when the files are there. */
export interface BundleFacts {
  kubernetesVersion: string;
  architecture: Architecture;
  source: BundleManifest['source'];
  versions: Record<string, string>;
  images: BundleImage[];
  /** How files are vouched for, by their paths in the bundle. */
  vouched?: Record<string, Vouched>;
}

/** Makes the folders of a new bundle. */
export async function makeFolders(directory: string): Promise<void> {
  for (const folder of [...Object.keys(FOLDERS), 'images']) await mkdir(join(directory, folder), { recursive: true });
}

/**
 * Packs the programs that are there and writes `bundle.json`, with the size and SHA-256 of every file: the last act of
 * making a bundle.
 *
 * @throws KW703 when `signal` says so while programs are packed
 */
export async function finishBundle(directory: string, facts: BundleFacts, signal: AbortSignal): Promise<void> {
  const { versions, images, vouched = {}, ...rest } = facts;
  const manifest: BundleManifest = {
    apiVersion: 'kubewright.dev/v1alpha1',
    kind: 'Bundle',
    ...rest,
    createdAt: new Date().toISOString(),
    versions: Object.fromEntries(Object.entries(versions).sort()),
    files: (await describeFiles(directory, signal)).map((file) => withVouched(file, vouched[file.path])),
    images,
  };
  await writeFile(join(directory, 'bundle.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function withVouched(file: BundleFile, vouched: Vouched | undefined): BundleFile {
  return vouched ? { ...file, vouched } : file;
}

/** A file for each core at a time: packing is what takes long. When one fails, the others are stopped. */
async function describeFiles(directory: string, interrupted: AbortSignal): Promise<BundleFile[]> {
  const found: { path: string; mode: number; packed: boolean }[] = [];
  for (const [folder, how] of Object.entries(FOLDERS)) {
    const names = (await readdir(join(directory, folder))).sort();
    found.push(...names.map((name) => ({ path: `${folder}/${name}`, ...how })));
  }
  const failed = new AbortController();
  const signal = AbortSignal.any([interrupted, failed.signal]);
  const limit = pLimit(availableParallelism());
  const described = found.map(({ path, mode, packed }) =>
    limit(async () => {
      const describe = packed ? packFile : describeFile;
      return { path, ...(await describe(join(directory, path), signal)), mode };
    }),
  );
  try {
    return await Promise.all(described);
  } finally {
    failed.abort();
    await Promise.allSettled(described);
  }
}

async function describeFile(path: string): Promise<Pick<BundleFile, 'sha256' | 'size'>> {
  return { sha256: await sha256OfFile(path), size: (await stat(path)).size };
}

/** `registry.k8s.io/coredns/coredns:v1.12.1` → `images/coredns-v1.12.1.tar`. */
export function archiveName(image: string): string {
  return `images/${image.slice(image.lastIndexOf('/') + 1).replace(':', '-')}.tar`;
}

interface PodTemplate {
  initContainers?: { image: string }[];
  containers?: { image: string }[];
}

/**
 * The two images that flannel's manifest asks for, whatever tags it gives them.
 *
 * @throws KW713 when it asks for other images than these two
 */
export function flannelImages(manifest: string): { flannel: string; cniPlugin: string } {
  const documents = parseAllDocuments(manifest).map((document) => document.toJS());
  const pods: PodTemplate[] = documents.flatMap((document) => document?.spec?.template?.spec ?? []);
  const images = pods.flatMap((pod) => [...(pod.initContainers ?? []), ...(pod.containers ?? [])].map((c) => c.image));
  const unique = [...new Set(images)];
  const flannel = unique.find((image) => /\/flannel:/.test(image));
  const cniPlugin = unique.find((image) => /\/flannel-cni-plugin:/.test(image));
  if (flannel && cniPlugin && unique.length === 2) return { flannel, cniPlugin };
  throw new KubewrightError('KW713', `flannel's manifest asks for images that are not known: ${unique.join(', ')}.`, {
    hint: 'This version of flannel needs a change of the recipe; report it.',
  });
}
