import { chmod, copyFile, link, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import pLimit from 'p-limit';
import type { BundleImage, Vouched } from '../../bundle/schema.js';
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
import { noProgress, type Progress } from '../progress/bar.js';
import type { Meter } from '../progress/meter.js';
import {
  type Architecture,
  cniRecipe,
  containerdRecipe,
  flannelRecipe,
  machineArchitecture,
  runcRecipe,
} from '../recipes.js';
import type { Stages } from '../stages.js';
import type { Client } from './client.js';
import { diskFull } from './disk-full.js';
import { announcedSize, type DownloadOptions, fetchText } from './download.js';
import type { Origins } from './origins.js';
import { type FetchedImage, findImage } from './registry.js';
import {
  AGNHOST,
  cniRelease,
  containerdRelease,
  crictlRelease,
  etcdRelease,
  flannelRelease,
  imageSigning,
  kubernetesRelease,
  type Release,
  runcRelease,
} from './releases.js';
import { checkSignature, type SignatureRecord, type Signed } from './signatures.js';
import type { DownloadStore } from './store.js';

/** Downloads at a time: enough to fill a line, few enough for the servers. */
const PARALLEL = 4;

export interface OfficialDownload {
  kubernetesVersion: string;
  architecture: Architecture;
  origins: Origins;
  client: Client;
  /** Where downloads lie, also those of an attempt that was interrupted. */
  store: DownloadStore;
  /** Folder with other keyrings than the pinned ones, for tests. */
  keys?: string | undefined;
  /** Space for what archives hold. */
  scratch: string;
  stages: Stages;
  progress?: Progress | undefined;
  signal: AbortSignal;
  /** See `DownloadOptions`. */
  backoff?: number;
}

/** How many stages `downloadBundle` goes through. */
export const OFFICIAL_STAGES = 3;

/** Fills `directory` with a bundle of published releases and images. */
export async function downloadBundle(directory: string, job: OfficialDownload): Promise<void> {
  const { kubernetesVersion, architecture } = job;
  await makeFolders(directory);
  const kubeadmImages = await stage('downloading kubeadm', job, (meter) => listImages(meter, job));
  const etcdTag = tagOf(kubeadmImages, '/etcd');
  const vouched = await stage('downloading programs', job, (meter) => downloadPrograms(directory, etcdTag, meter, job));
  const flannel = flannelImages(await readFile(join(directory, FLANNEL_MANIFEST), 'utf8'));
  const names = [...kubeadmImages, flannel.cniPlugin, flannel.flannel, AGNHOST];
  const images = await stage('downloading images', job, (meter) => downloadImages(directory, names, meter, job));
  const plugin = images.find(({ names: [name] }) => name === flannel.cniPlugin)?.vouched;
  if (plugin) vouched['cni/flannel'] = plugin;
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
    vouched,
  });
}

function stage<T>(title: string, job: OfficialDownload, work: (meter: Meter) => Promise<T>): Promise<T> {
  const { stages, progress = noProgress } = job;
  return stages.run(title, () => progress.watch(title, work));
}

/** What each request is made with. */
function optionsOf({ client, signal, backoff }: OfficialDownload): DownloadOptions {
  return { client, signal, backoff };
}

function signedOf(job: OfficialDownload, url: string, file: string): Signed {
  return { ...optionsOf(job), url, file, scratch: job.scratch, keys: job.keys };
}

/** Which images a release wants, only its own kubeadm knows: so that one is fetched first, for this machine, and asked. */
async function listImages(meter: Meter, job: OfficialDownload): Promise<string[]> {
  const machine = machineArchitecture();
  if (process.platform !== 'linux' || !machine) {
    throw new KubewrightError('KW706', `kubeadm does not run on ${process.platform} on ${process.arch}.`, {
      hint: 'Make the bundle on a Linux machine and copy the directory; --arch need not be that machine’s own.',
    });
  }
  const path = join(job.scratch, 'kubeadm');
  const release = await prepareRelease(kubernetesRelease('kubeadm', job.kubernetesVersion, machine, job.origins), job);
  job.store.announce(meter, release.sha256, release.size);
  const file = await job.store.fetch(release.url, release.sha256, optionsOf(job));
  // It is run on this machine: before that it has to be what Kubernetes signed.
  await checkSignature(release.signing, signedOf(job, release.url, file));
  await copyFile(file, path);
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

/** How each file of the bundle is vouched for, by its path there. */
async function downloadPrograms(
  directory: string,
  etcdTag: string,
  meter: Meter,
  job: OfficialDownload,
): Promise<Record<string, Vouched>> {
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
  const prepared: PreparedRelease[] = [];
  await inParallel(releases, job, async (release, own) => void prepared.push(await prepareRelease(release, own)));
  // All sizes first: what is left can only be told of a whole.
  for (const { sha256, size } of prepared) job.store.announce(meter, sha256, size);
  const vouched: Record<string, Vouched> = {};
  await inParallel(prepared, job, async (release, own) => {
    const signature = await fetchRelease(release, directory, own);
    for (const path of pathsOf(release)) vouched[path] = vouchedOf(release, signature);
  });
  for (const name of HOST_PROGRAMS) await chmod(join(directory, 'bin', name), 0o755);
  return vouched;
}

/** A release whose checksum is known. */
type PreparedRelease = Release & {
  sha256: string;
  /** Bytes; 0 where the server does not say. */
  size: number;
};

async function prepareRelease(release: Release, job: OfficialDownload): Promise<PreparedRelease> {
  const { url, checksum } = release;
  const options = optionsOf(job);
  const sha256 =
    'sha256' in checksum ? checksum.sha256 : publishedSum(checksum.url, await fetchText(checksum.url, options), url);
  return { ...release, sha256, size: await announcedSize(url, options) };
}

function pathsOf({ path, members = {} }: Release): string[] {
  return path === undefined ? Object.keys(members) : [path];
}

function vouchedOf({ url, sha256, checksum }: PreparedRelease, signature: SignatureRecord): Vouched {
  return { url, sha256, sumFrom: 'url' in checksum ? checksum.url : 'pinned', signature };
}

/** Downloads one release, compares it with its published checksum, checks its signature, and puts what is wanted of it into the bundle. */
async function fetchRelease(
  release: PreparedRelease,
  directory: string,
  job: OfficialDownload,
): Promise<SignatureRecord> {
  const { url, sha256, members, path, signing } = release;
  const file = await job.store.fetch(url, sha256, optionsOf(job));
  const signature = await checkSignature(signing, signedOf(job, url, file));
  if (path !== undefined) await place(file, join(directory, path));
  else await unpack(file, members ?? {}, directory, join(job.scratch, basename(url)));
  return signature;
}

/** The store keeps it until the bundle is whole, so that an interruption costs nothing; the disk has it once. */
async function place(file: string, target: string): Promise<void> {
  await link(file, target).catch(() => copyFile(file, target));
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

async function unpack(
  archive: string,
  members: Record<string, string>,
  directory: string,
  scratch: string,
): Promise<void> {
  const target = `${scratch}.unpacked`;
  await mkdir(target, { recursive: true });
  const result = await execa('tar', ['-xzf', archive, '-C', target, ...Object.values(members)], { reject: false });
  if (result.failed) {
    if (/No space left|quota exceeded/i.test(result.stderr ?? '')) throw await diskFull(target, scratch, result);
    throw new KubewrightError('KW726', `${basename(scratch)} does not hold what it should.`, {
      hint: 'The release is packed in another way than the ones before it; report it.',
      output: (result.stderr || result.shortMessage || '').split('\n').slice(-5).join('\n'),
      cause: result,
    });
  }
  for (const [path, member] of Object.entries(members)) await moveFile(join(target, member), join(directory, path));
}

async function downloadImages(
  directory: string,
  names: string[],
  meter: Meter,
  job: OfficialDownload,
): Promise<BundleImage[]> {
  const { origins, architecture, store } = job;
  const found: Awaited<ReturnType<typeof findImage>>[] = [];
  await inParallel(names, job, async (name, own) => {
    found.push(await findImage(name, { ...optionsOf(own), origins, architecture }));
  });
  for (const image of found) image.announce(store, meter);
  const images: BundleImage[] = [];
  await inParallel(found, job, async ({ name, url, digest, fetch }, own) => {
    const image = await fetch(store, { signal: own.signal });
    if (/\/flannel-cni-plugin:/.test(name)) await extractFlannelPlugin(image, directory);
    const file = archiveName(name);
    const signature = await checkSignature(imageSigning(name), signedOf(own, url, ''));
    const written = await writeArchive(image, join(directory, file));
    const vouched: Vouched = { url, sha256: digest.slice('sha256:'.length), sumFrom: 'registry', signature };
    images.push({ file, names: [name], neededBy: neededBy(name), version: tagOf([name], ''), ...written, vouched });
  });
  return images.sort((a, b) => names.indexOf(a.names[0] ?? '') - names.indexOf(b.names[0] ?? ''));
}

/** The plugin is published as an image (its manifest copies it from there); hosts get it with the other plugins. */
async function extractFlannelPlugin({ layerPaths }: FetchedImage, directory: string): Promise<void> {
  for (const path of [...layerPaths].reverse()) {
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
