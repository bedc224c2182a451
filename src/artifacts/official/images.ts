import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { BundleImage, Vouched } from '../../bundle/schema.js';
import { KubewrightError } from '../../errors.js';
import { archiveName } from '../contents.js';
import { writeArchive } from '../oci/archive.js';
import type { Meter } from '../progress/meter.js';
import { isOfBalancer } from './balancers.js';
import { inParallel, type OfficialDownload, optionsOf, tagOf } from './job.js';
import { type FetchedImage, type FoundImage, findImage } from './registry.js';
import { AGNHOST, imageSigning } from './releases.js';
import { checkImageSignature } from './signatures.js';

export async function downloadImages(
  directory: string,
  names: string[],
  meter: Meter,
  job: OfficialDownload,
): Promise<BundleImage[]> {
  const { origins, architecture, store } = job;
  const all: FoundImage[] = [];
  await inParallel(names, job, async (name, own) => {
    all.push(await findImage(name, { ...optionsOf(own), origins, architecture }));
  });
  for (const image of all) image.announce(store, meter);
  const images: BundleImage[] = [];
  await inParallel(all, job, async (found, own) => {
    const { name, url, digest } = found;
    const image = await found.fetch(store, { signal: own.signal });
    if (/\/flannel-cni-plugin:/.test(name)) await extractFlannelPlugin(image, directory);
    const file = archiveName(name);
    const signature = await checkImageSignature(imageSigning(name), found, own.trust);
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
  if (isOfBalancer(name)) return 'load-balancer';
  return name === AGNHOST ? 'check' : 'every-node';
}
