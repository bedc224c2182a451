import pLimit from 'p-limit';
import { KubewrightError } from '../../errors.js';
import type { MadeLoadBalancer } from '../load-balancer.js';
import type { Progress } from '../progress/bar.js';
import type { Architecture } from '../recipes.js';
import type { Stages } from '../stages.js';
import type { Client } from './client.js';
import type { DownloadOptions } from './download.js';
import type { Origins } from './origins.js';
import type { Trust } from './signatures.js';
import type { DownloadStore } from './store.js';

/** Downloads at a time: enough to fill a line, few enough for the servers. */
const PARALLEL = 4;

/** Pod networks that a bundle has where they were asked for. */
export const BUNDLED_NETWORKS = ['calico', 'cilium'] as const;
export type BundledNetwork = (typeof BUNDLED_NETWORKS)[number];

/** Container runtimes that a bundle has where they were asked for. */
export const BUNDLED_RUNTIMES = ['crio'] as const;
export type BundledRuntime = (typeof BUNDLED_RUNTIMES)[number];

/** Load balancers beside HAProxy and keepalived that a bundle has where they were asked for. */
export const BUNDLED_BALANCERS = ['kube-vip'] as const;
export type BundledBalancer = (typeof BUNDLED_BALANCERS)[number];

export interface OfficialDownload {
  kubernetesVersion: string;
  architecture: Architecture;
  origins: Origins;
  client: Client;
  /** Where downloads lie, also those of an attempt that was interrupted. */
  store: DownloadStore;
  /** What signatures are checked with. */
  trust: Trust;
  /** Pod networks beside flannel that come with the bundle, by their names in cluster.yaml. */
  networks?: readonly BundledNetwork[] | undefined;
  /** Container runtimes beside containerd that come with the bundle, by their names in cluster.yaml. */
  runtimes?: readonly BundledRuntime[] | undefined;
  /** Load balancers beside HAProxy and keepalived that come with the bundle, by their names in cluster.yaml. */
  balancers?: readonly BundledBalancer[] | undefined;
  /** Space for what archives hold. */
  scratch: string;
  /** Puts HAProxy and keepalived into the bundle, as far as this machine can. */
  loadBalancer(directory: string): Promise<MadeLoadBalancer>;
  /** Puts skopeo into the bundle, which CRI-O's images need. @returns versions */
  skopeo(directory: string): Promise<Record<string, string>>;
  stages: Stages;
  progress?: Progress | undefined;
  signal: AbortSignal;
  /** See `DownloadOptions`. */
  backoff?: number;
}

/** What each request is made with. */
export function optionsOf({ client, signal, backoff }: OfficialDownload): DownloadOptions {
  return { client, signal, backoff };
}

export function tagOf(images: string[], repository: string): string {
  const image = images.find((name) => name.slice(0, name.lastIndexOf(':')).endsWith(repository));
  if (image) return image.slice(image.lastIndexOf(':') + 1);
  throw new KubewrightError('KW726', `kubeadm asks for no image ${repository.slice(1)}: ${images.join(', ')}.`, {
    hint: 'This version of Kubernetes needs a change of the recipe; report it.',
  });
}

/** A few at a time; the first failure stops the others, and is the one that is reported. */
export async function inParallel<T>(
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
