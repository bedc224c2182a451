import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { sha256OfFile } from '../bundle/digest.js';
import { LOAD_BALANCER_FOLDER } from '../bundle/programs.js';
import type { BundleFile, BundleImage, BundleManifest, Vouched } from '../bundle/schema.js';
import { KubewrightError } from '../errors.js';
import type { Architecture } from './recipes.js';

/** Folders of a bundle that hold single files, and the mode their files get on a host. */
const FOLDERS = { bin: 0o755, cni: 0o755, [LOAD_BALANCER_FOLDER]: 0o755, manifests: 0o644 };

/** Programs of a bundle that hosts or people run; the other ones that are built live in images only. */
export const HOST_PROGRAMS = [
  ...['kubeadm', 'kubelet', 'kubectl', 'crictl', 'etcdctl', 'etcdutl'],
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

/** Writes `bundle.json`, with the size and SHA-256 of every file that is there: the last act of making a bundle. */
export async function writeBundleManifest(directory: string, facts: BundleFacts): Promise<void> {
  const { versions, images, vouched = {}, ...rest } = facts;
  const manifest: BundleManifest = {
    apiVersion: 'kubewright.dev/v1alpha1',
    kind: 'Bundle',
    ...rest,
    createdAt: new Date().toISOString(),
    versions: Object.fromEntries(Object.entries(versions).sort()),
    files: (await describeFiles(directory)).map((file) => withVouched(file, vouched[file.path])),
    images,
  };
  await writeFile(join(directory, 'bundle.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function withVouched(file: BundleFile, vouched: Vouched | undefined): BundleFile {
  return vouched ? { ...file, vouched } : file;
}

async function describeFiles(directory: string): Promise<BundleFile[]> {
  const files: BundleFile[] = [];
  for (const [folder, mode] of Object.entries(FOLDERS)) {
    for (const name of (await readdir(join(directory, folder))).sort()) {
      const path = join(directory, folder, name);
      const { size } = await stat(path);
      files.push({ path: `${folder}/${name}`, sha256: await sha256OfFile(path), size, mode });
    }
  }
  return files;
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
