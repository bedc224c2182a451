import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Vouched } from '../../bundle/schema.js';
import { imagesOf, parseManifest } from '../../components/network/objects/objects.js';
import { releaseFor } from '../../components/network/versions.js';
import { KubewrightError } from '../../errors.js';
import { fetchText } from './download.js';
import { type OfficialDownload, optionsOf } from './job.js';
import { type NetworkParts, noRelease } from './network-parts.js';

/** Calico's manifests with BGP and without, as files of a bundle below `manifests`, and as its releases publish them. */
const MANIFESTS = ['calico.yaml', 'calico-vxlan.yaml'];

/**
 * Fetches Calico's manifests of the release that goes with a version of Kubernetes. Each lies in the repository at the release's tag;
 * nobody publishes a checksum of them, so bundle.json says what came, and that nobody else vouches for it.
 *
 * @throws KubewrightError KW740 where no release goes with it, KW741 when it is not the manifest of this release; otherwise as `fetchText`
 */
export async function downloadCalico(directory: string, job: OfficialDownload): Promise<NetworkParts> {
  const release = releaseFor('calico', job.kubernetesVersion);
  if (release === undefined) throw noRelease('calico', job.kubernetesVersion);
  const tag = `v${release.version}`;
  const images = new Set<string>();
  const vouched: Record<string, Vouched> = {};
  for (const name of MANIFESTS) {
    const url = `${job.origins['raw.githubusercontent.com']}/projectcalico/calico/${tag}/manifests/${name}`;
    const text = await fetchText(url, optionsOf(job));
    const { objects, problems } = parseManifest({ from: name, content: text });
    const wanted = imagesOf(objects);
    const others = wanted.filter((image) => !image.startsWith('quay.io/calico/') || !image.endsWith(`:${tag}`));
    if (problems.length > 0 || wanted.length === 0 || others.length > 0) throw otherManifest(url, tag, others);
    for (const image of wanted) images.add(image);
    await writeFile(join(directory, 'manifests', name), text);
    const why = 'Calico publishes neither a checksum nor a signature of its manifests';
    vouched[`manifests/${name}`] = {
      url,
      sha256: createHash('sha256').update(text).digest('hex'),
      sumFrom: 'this download',
      signature: { state: 'none', detail: why },
    };
  }
  return { versions: { calico: tag }, images: [...images].sort(), vouched };
}

function otherManifest(url: string, tag: string, others: string[]): KubewrightError {
  const what = others.length > 0 ? `it asks for ${others.join(', ')}` : 'it runs nothing';
  return new KubewrightError('KW741', `${url} is not Calico's manifest of ${tag} as it is known here: ${what}.`, {
    hint: 'Something between here and there changes it (a mirror), or this release is made in another way; report that.',
  });
}
