import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse } from 'yaml';
import { z } from 'zod';
import { releaseFor } from '../../components/network/versions.js';
import { KubewrightError } from '../../errors.js';
import { fetchText } from './download.js';
import { type OfficialDownload, optionsOf } from './job.js';
import { type NetworkParts, noRelease } from './network-parts.js';
import { downloadRelease } from './programs.js';
import { HELM_VERSION, helmRelease } from './releases.js';

/** The chart as a file of a bundle. */
const CILIUM_CHART = 'manifests/cilium.tgz';

const index = z.object({
  entries: z.object({
    cilium: z.array(z.object({ version: z.string(), digest: z.string().regex(/^[0-9a-f]{64}$/) })),
  }),
});

const image = z.object({ repository: z.string().min(1), tag: z.string().min(1) });
/** What of the chart's own values says which images it runs. */
const values = z.object({ image, operator: z.object({ image }), envoy: z.object({ image }) });

/**
 * Fetches the chart of the release that goes with a version of Kubernetes, and helm, with which a control plane renders it. The
 * repository's index has the chart's SHA-256. Its values name the images that it runs, at tags of this release.
 *
 * @throws KubewrightError KW740 where no release goes with it, KW748 when index or chart are not as they are known here; otherwise as
 * `fetchText` and `download`
 */
export async function downloadCilium(directory: string, job: OfficialDownload): Promise<NetworkParts> {
  const release = releaseFor('cilium', job.kubernetesVersion);
  if (release === undefined) throw noRelease('cilium', job.kubernetesVersion);
  const repository = job.origins['helm.cilium.io'];
  const indexUrl = `${repository}/index.yaml`;
  const found = index.safeParse(parse(await fetchText(indexUrl, optionsOf(job))));
  const chart = found.data?.entries.cilium.find(({ version }) => version === release.version);
  if (chart === undefined) throw otherChart(indexUrl, `it has no SHA-256 for cilium ${release.version}`);
  const url = `${repository}/cilium-${release.version}.tgz`;
  const path = await job.store.fetch(url, chart.digest, optionsOf(job));
  const images = await imagesOfChart(path, url, `v${release.version}`);
  await copyFile(path, join(directory, CILIUM_CHART));
  const helm = await downloadRelease(helmRelease(job.architecture, job.origins), directory, job);
  const why = "the chart's provenance is signed in its OCI repository alone";
  return {
    versions: { cilium: `v${release.version}`, helm: HELM_VERSION },
    images,
    vouched: {
      [CILIUM_CHART]: {
        url,
        sha256: chart.digest,
        sumFrom: indexUrl,
        signature: { state: 'unchecked', detail: why },
      },
      ...helm,
    },
  };
}

async function imagesOfChart(path: string, url: string, tag: string): Promise<string[]> {
  const { stdout, failed } = await execa('tar', ['-xzOf', path, 'cilium/values.yaml'], { reject: false });
  const parsed = failed ? undefined : values.safeParse(parse(stdout ?? ''));
  if (!parsed?.success) throw otherChart(url, 'its values do not say which images it runs');
  const { image: agent, operator, envoy } = parsed.data;
  const own = [agent, { ...operator.image, repository: `${operator.image.repository}-generic` }];
  const others = [...own, envoy.image].filter(({ repository }) => !repository.startsWith('quay.io/cilium/'));
  const stray = [...others, ...own.filter((each) => each.tag !== tag)];
  const named = ({ repository, tag: written }: z.infer<typeof image>): string => `${repository}:${written}`;
  if (stray.length > 0) throw otherChart(url, `it runs ${stray.map(named).join(', ')}`);
  return [...own, envoy.image].map(named).sort();
}

function otherChart(url: string, what: string): KubewrightError {
  return new KubewrightError('KW748', `${url} is not what it is known as here: ${what}.`, {
    hint: 'Something between here and there changes it (a mirror), or this release is made in another way; report that.',
  });
}
