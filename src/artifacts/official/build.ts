import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import pLimit from 'p-limit';
import type { BundleImage } from '../../bundle/schema.js';
import { KubewrightError } from '../../errors.js';
import { moveFile } from '../cache/cache.js';
import {
  archiveName,
  CNI_PLUGINS,
  FLANNEL_MANIFEST,
  flannelImages,
  HOST_PROGRAMS,
  makeFolders,
  writeBundleManifest,
} from '../contents.js';
import { writeArchive } from '../oci/archive.js';
import type { Image } from '../oci/image.js';
import {
  type Architecture,
  cniRecipe,
  containerdRecipe,
  flannelRecipe,
  machineArchitecture,
  runcRecipe,
} from '../recipes.js';
import type { Stages } from '../stages.js';
import { download, fetchText } from './download.js';
import type { Origins } from './origins.js';
import { pullImage } from './registry.js';
import {
  AGNHOST,
  cniRelease,
  containerdRelease,
  crictlRelease,
  etcdRelease,
  flannelRelease,
  kubernetesRelease,
  type Release,
  runcRelease,
} from './releases.js';

/** Downloads at a time: enough to fill a line, few enough for the servers. */
const PARALLEL = 4;

export interface OfficialDownload {
  kubernetesVersion: string;
  architecture: Architecture;
  origins: Origins;
  /** Space for archives and image layers. */
  scratch: string;
  stages: Stages;
  signal: AbortSignal;
  /** See `DownloadOptions`. */
  backoff?: number;
}

/** How many stages `downloadBundle` goes through. */
export const OFFICIAL_STAGES = 3;

/** Fills `directory` with a bundle of published releases and images. */
export async function downloadBundle(directory: string, job: OfficialDownload): Promise<void> {
  const { kubernetesVersion, architecture, stages } = job;
  await makeFolders(directory);
  const kubeadmImages = await stages.run('downloading kubeadm', () => listImages(job));
  const etcdTag = tagOf(kubeadmImages, '/etcd');
  const flannel = await stages.run('downloading programs', () => downloadPrograms(directory, etcdTag, job));
  const names = [...kubeadmImages, flannel.cniPlugin, flannel.flannel, AGNHOST];
  const images = await stages.run('downloading images', () => downloadImages(directory, names, job));
  await writeBundleManifest(directory, {
    kubernetesVersion,
    architecture,
    source: 'official',
    versions: {
      kubernetes: `v${kubernetesVersion}`,
      etcd: `v${etcdTag.split('-')[0]}`,
      coredns: tagOf(kubeadmImages, '/coredns'),
      flannel: flannelRecipe.version,
      'flannel-cni': flannel.cniPlugin.split(':').at(-1) ?? '',
      'cni-plugins': cniRecipe.version,
      containerd: containerdRecipe.version,
      runc: runcRecipe.version,
    },
    images,
  });
}

/** Which images a release wants, only its own kubeadm knows: so that one is fetched first, for this machine, and asked. */
async function listImages(job: OfficialDownload): Promise<string[]> {
  const machine = machineArchitecture();
  if (process.platform !== 'linux' || !machine) {
    throw new KubewrightError('KW706', `kubeadm does not run on ${process.platform} on ${process.arch}.`, {
      hint: 'Make the bundle on a Linux machine and copy the directory; --arch need not be that machine’s own.',
    });
  }
  const path = join(job.scratch, 'kubeadm');
  await fetchRelease({ ...kubernetesRelease('kubeadm', job.kubernetesVersion, machine, job.origins), path }, '/', job);
  await chmod(path, 0o755);
  const args = ['config', 'images', 'list', '--kubernetes-version', `v${job.kubernetesVersion}`];
  const result = await execa(path, args, { reject: false });
  const images = (result.stdout ?? '').split('\n').filter((line) => /^[\w.-]+\/.+:.+$/.test(line));
  if (!result.failed && images.length > 0) return images;
  throw new KubewrightError('KW726', 'kubeadm did not say which images it wants.', {
    hint: 'Does the downloaded program run on this machine? The lines above are its own.',
    output: (result.stderr || result.shortMessage || '').split('\n').slice(-5).join('\n'),
    cause: result,
  });
}

function tagOf(images: string[], repository: string): string {
  const image = images.find((name) => name.slice(0, name.lastIndexOf(':')).endsWith(repository));
  if (image) return image.slice(image.lastIndexOf(':') + 1);
  throw new KubewrightError('KW726', `kubeadm asks for no image ${repository.slice(1)}: ${images.join(', ')}.`, {
    hint: 'This version of Kubernetes needs a change of the recipe; report it.',
  });
}

async function downloadPrograms(
  directory: string,
  etcdTag: string,
  job: OfficialDownload,
): Promise<{ flannel: string; cniPlugin: string }> {
  const { kubernetesVersion, architecture, origins } = job;
  const releases = [
    ...['kubeadm', 'kubelet', 'kubectl'].map((name) =>
      kubernetesRelease(name, kubernetesVersion, architecture, origins),
    ),
    crictlRelease(kubernetesVersion, architecture, origins),
    etcdRelease(etcdTag, architecture, origins),
    containerdRelease(architecture, origins),
    runcRelease(architecture, origins),
    cniRelease(CNI_PLUGINS, architecture, origins),
    flannelRelease(FLANNEL_MANIFEST, origins),
  ];
  await inParallel(releases, job, (release, own) => fetchRelease(release, directory, own));
  for (const name of HOST_PROGRAMS) await chmod(join(directory, 'bin', name), 0o755);
  return flannelImages(await readFile(join(directory, FLANNEL_MANIFEST), 'utf8'));
}

/** Downloads one release, compares it with its published checksum, and puts what is wanted of it into the bundle. */
async function fetchRelease(release: Release, directory: string, job: OfficialDownload): Promise<void> {
  const { url, checksum, members, path } = release;
  const options = { signal: job.signal, ...(job.backoff ? { backoff: job.backoff } : {}) };
  const sha256 =
    'sha256' in checksum ? checksum.sha256 : publishedSum(checksum.url, await fetchText(checksum.url, options), url);
  if (path !== undefined) return download(url, join(directory, path), sha256, options);
  const archive = join(job.scratch, basename(url));
  await download(url, archive, sha256, options);
  await unpack(archive, members ?? {}, directory);
}

/** Either a bare sum, or lines of a sum and a name as `sha256sum` writes them. */
function publishedSum(where: string, text: string, url: string): string {
  const lines = text.trim().split('\n');
  const line = lines.length === 1 ? lines[0] : lines.find((candidate) => candidate.trim().endsWith(basename(url)));
  const sum = /^[0-9a-f]{64}\b/i.exec(line?.trim() ?? '')?.[0];
  if (sum) return sum.toLowerCase();
  throw new KubewrightError('KW721', `${where} holds no SHA-256 for ${basename(url)}.`, {
    hint: 'Without its published checksum nothing is used. A mirror must carry the checksums as well.',
  });
}

async function unpack(archive: string, members: Record<string, string>, directory: string): Promise<void> {
  const target = `${archive}.unpacked`;
  await mkdir(target, { recursive: true });
  const result = await execa('tar', ['-xzf', archive, '-C', target, ...Object.values(members)], { reject: false });
  if (result.failed) {
    throw new KubewrightError('KW726', `${basename(archive)} does not hold what it should.`, {
      hint: 'The release is packed in another way than the ones before it; report it.',
      output: (result.stderr || result.shortMessage || '').split('\n').slice(-5).join('\n'),
      cause: result,
    });
  }
  for (const [path, member] of Object.entries(members)) await moveFile(join(target, member), join(directory, path));
}

async function downloadImages(directory: string, names: string[], job: OfficialDownload): Promise<BundleImage[]> {
  const images: BundleImage[] = [];
  await inParallel(names, job, async (name, own) => {
    const image = await pullImage(name, { ...own, blobs: join(job.scratch, 'blobs') });
    if (/\/flannel-cni-plugin:/.test(name)) await extractFlannelPlugin(image, directory, job.scratch);
    const file = archiveName(name);
    const written = await writeArchive(image, join(directory, file));
    images.push({ file, names: [name], neededBy: neededBy(name), version: tagOf([name], ''), ...written });
  });
  return images.sort((a, b) => names.indexOf(a.names[0] ?? '') - names.indexOf(b.names[0] ?? ''));
}

/** The plugin is published as an image (its manifest copies it from there); hosts get it with the other plugins. */
async function extractFlannelPlugin(image: Image, directory: string, scratch: string): Promise<void> {
  for (const layer of [...image.layers].reverse()) {
    const path = join(scratch, 'blobs', layer.digest.replace(':', '-'));
    const result = await execa('tar', ['-xOf', path, 'flannel'], { encoding: 'buffer', reject: false });
    if (!result.failed) return writeFile(join(directory, 'cni', 'flannel'), result.stdout, { mode: 0o755 });
  }
  throw new KubewrightError('KW726', 'The image flannel-cni-plugin has no /flannel.', {
    hint: 'This version of flannel needs a change of the recipe; report it.',
  });
}

function neededBy(name: string): BundleImage['neededBy'] {
  if (/\/kube-(apiserver|controller-manager|scheduler):/.test(name)) return 'control-plane';
  if (/\/etcd:/.test(name)) return 'etcd';
  return name === AGNHOST ? 'check' : 'every-node';
}

/** A few at a time; the first failure stops the others, and is the one that is reported. */
async function inParallel<T>(
  items: T[],
  job: OfficialDownload,
  work: (item: T, job: OfficialDownload) => Promise<void>,
): Promise<void> {
  const limit = pLimit(PARALLEL);
  const failed = new AbortController();
  const own = { ...job, signal: AbortSignal.any([job.signal, failed.signal]) };
  const attempt = async (item: T): Promise<void> => {
    if (failed.signal.aborted) return;
    try {
      await work(item, own);
    } catch (error) {
      // Later ones fail because of this one: the first reason stays.
      failed.abort(error);
    }
  };
  await Promise.all(items.map((item) => limit(() => attempt(item))));
  if (failed.signal.aborted) throw failed.signal.reason;
}
