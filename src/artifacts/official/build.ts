import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BundleFacts, FLANNEL_MANIFEST, finishBundle, flannelImages, makeFolders } from '../contents.js';
import { noProgress } from '../progress/bar.js';
import type { Meter } from '../progress/meter.js';
import { cniRecipe, containerdRecipe, flannelRecipe, runcRecipe } from '../recipes.js';
import { BALANCERS } from './balancers.js';
import { downloadCalico } from './calico.js';
import { downloadCilium } from './cilium.js';
import { requireCrioRelease } from './crio.js';
import { downloadImages } from './images.js';
import { type BundledNetwork, type BundledRuntime, type OfficialDownload, tagOf } from './job.js';
import type { NetworkParts } from './network-parts.js';
import { downloadPrograms, listImages } from './programs.js';
import { AGNHOST, crictlVersion } from './releases.js';

/** How many stages `downloadBundle` goes through. */
export function stagesOf(runtimes: readonly BundledRuntime[] = []): number {
  return runtimes.includes('crio') ? 6 : 5;
}

/** Fills `directory` with a bundle of published releases and images. */
export async function downloadBundle(directory: string, job: OfficialDownload): Promise<void> {
  const { kubernetesVersion, architecture } = job;
  await makeFolders(directory);
  const kubeadmImages = await stage('downloading kubeadm', job, (meter) => listImages(meter, job));
  const etcdTag = tagOf(kubeadmImages, '/etcd');
  const vouched = await stage('downloading programs', job, (meter) => downloadPrograms(directory, etcdTag, meter, job));
  const flannel = flannelImages(await readFile(join(directory, FLANNEL_MANIFEST), 'utf8'));
  const networks = await downloadNetworks(directory, job);
  const ofNetworks = networks.flatMap(({ parts }) => parts.images);
  const balancers = job.balancers ?? [];
  const ofBalancers = balancers.map((name) => BALANCERS[name].image);
  const names = [...kubeadmImages, flannel.cniPlugin, flannel.flannel, AGNHOST, ...ofNetworks, ...ofBalancers];
  const downloaded = await stage('downloading images', job, (meter) => downloadImages(directory, names, meter, job));
  const images = downloaded.map((image) => {
    const owner = networks.find(({ parts }) => image.names.some((name) => parts.images.includes(name)));
    return owner === undefined ? image : { ...image, network: owner.network };
  });
  const loadBalancer = await stage('packing HAProxy and keepalived', job, () => job.loadBalancer(directory));
  const crio = job.runtimes?.includes('crio') ? await addCrio(directory, job) : {};
  const plugin = images.find(({ names: [name] }) => name === flannel.cniPlugin)?.vouched;
  if (plugin) vouched['cni/flannel'] = plugin;
  const facts: BundleFacts = {
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
      'cri-tools': crictlVersion(kubernetesVersion),
      containerd: containerdRecipe.version,
      runc: runcRecipe.version,
      ...Object.assign({}, ...networks.map(({ parts }) => parts.versions)),
      ...loadBalancer.versions,
      ...Object.fromEntries(balancers.map((name) => [name, BALANCERS[name].version])),
      ...crio,
    },
    images: [...images, ...loadBalancer.images],
    vouched: Object.assign(vouched, ...networks.map(({ parts }) => parts.vouched)),
  };
  await job.stages.run('packing programs', () => finishBundle(directory, facts, job.signal));
}

/** Its programs have come with the others. @returns versions */
async function addCrio(directory: string, job: OfficialDownload): Promise<Record<string, string>> {
  const skopeo = await stage('packing skopeo', job, () => job.skopeo(directory));
  return { 'cri-o': `v${requireCrioRelease(job.kubernetesVersion)}`, ...skopeo };
}

const NETWORKS: Readonly<Record<BundledNetwork, typeof downloadCalico>> = {
  calico: downloadCalico,
  cilium: downloadCilium,
};

/** Pod networks beside flannel, one after the other: each is a few small files. */
async function downloadNetworks(
  directory: string,
  job: OfficialDownload,
): Promise<{ network: BundledNetwork; parts: NetworkParts }[]> {
  const found: { network: BundledNetwork; parts: NetworkParts }[] = [];
  for (const network of job.networks ?? []) found.push({ network, parts: await NETWORKS[network](directory, job) });
  return found;
}

function stage<T>(title: string, job: OfficialDownload, work: (meter: Meter) => Promise<T>): Promise<T> {
  const { stages, progress = noProgress } = job;
  return stages.run(title, () => progress.watch(title, work));
}
