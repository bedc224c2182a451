import { chmod, copyFile, link, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import type { Vouched } from '../../bundle/schema.js';
import { KubewrightError } from '../../errors.js';
import { moveFile } from '../cache/cache.js';
import { CNI_PLUGINS, FLANNEL_MANIFEST, HOST_PROGRAMS } from '../contents.js';
import type { Meter } from '../progress/meter.js';
import { machineArchitecture } from '../recipes.js';
import { crioRelease } from './crio.js';
import { diskFull } from './disk-full.js';
import { announcedSize, fetchText } from './download.js';
import { inParallel, type OfficialDownload, optionsOf } from './job.js';
import {
  cniRelease,
  containerdRelease,
  crictlRelease,
  etcdRelease,
  flannelRelease,
  kubernetesRelease,
  type Release,
  runcRelease,
} from './releases.js';
import { checkSignature, type SignatureRecord, type Signed } from './signatures.js';

function signedOf({ url, sha256 }: PreparedRelease, file: string, job: OfficialDownload): Signed {
  return { ...optionsOf(job), url, sha256, file, scratch: job.scratch, trust: job.trust };
}

/** Which images a release wants, only its own kubeadm knows: so that one is fetched first, for this machine, and asked. */
export async function listImages(meter: Meter, job: OfficialDownload): Promise<string[]> {
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
  await checkSignature(release.signing, signedOf(release, file, job));
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

/** How each file of the bundle is vouched for, by its path there. */
export async function downloadPrograms(
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
    ...(job.runtimes?.includes('crio') ? [crioRelease(kubernetesVersion, architecture, origins)] : []),
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
  const programs = new Set([...HOST_PROGRAMS.map((name) => `bin/${name}`), ...prepared.flatMap(pathsOf)]);
  for (const path of programs) if (path.startsWith('bin/')) await chmod(join(directory, path), 0o755);
  return vouched;
}

/** A release whose checksum is known. */
type PreparedRelease = Release & {
  sha256: string;
  /** Bytes; 0 where the server does not say. */
  size: number;
};

/** Brings one release beside the others, as `downloadPrograms` does. */
export async function downloadRelease(
  release: Release,
  directory: string,
  job: OfficialDownload,
): Promise<Record<string, Vouched>> {
  const prepared = await prepareRelease(release, job);
  const vouched = vouchedOf(prepared, await fetchRelease(prepared, directory, job));
  return Object.fromEntries(pathsOf(release).map((path) => [path, vouched]));
}

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
  const signature = await checkSignature(signing, signedOf(release, file, job));
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
