import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Bundle, readBundle, sizeOnDisk, verifyBundle } from '../bundle/bundle.js';
import { KubewrightError } from '../errors.js';
import { type BundleSource, ensureBundle } from './bundle.js';
import { partialName } from './cache/owner.js';
import { interruptible } from './interruptible.js';
import { Client, loadAccess } from './official/client.js';
import type { BundledNetwork, BundledRuntime } from './official/job.js';
import { resolveOrigins } from './official/origins.js';
import { ProgressBar } from './progress/bar.js';
import { type Architecture, machineArchitecture } from './recipes.js';
import { type Stage, stageTable } from './stages.js';

export interface CreateBundleOptions {
  kubernetes: string;
  arch?: Architecture;
  from?: BundleSource;
  output?: string;
  mirror: string[];
  /** File with certificate authorities of one's own. */
  ca?: string;
  /** Refuse what is signed and could not be verified. */
  requireSignatures?: boolean;
  /** Pod networks beside flannel. */
  network?: BundledNetwork[];
  /** Container runtimes beside containerd. */
  runtime?: BundledRuntime[];
  /** With kube-vip's image. */
  kubeVip?: boolean;
  /** False: without HAProxy and keepalived. */
  loadBalancer?: boolean;
}

const result = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * `kubewright bundle create`: prints where the bundle lies. Ctrl-C stops builds and downloads and clears up.
 *
 * @throws KW729 when the output is there already; otherwise as `ensureBundle`
 */
export async function createBundle(options: CreateBundleOptions): Promise<void> {
  const arch = options.arch ?? machineArchitecture() ?? 'amd64';
  const output = options.output === undefined ? undefined : resolve(options.output);
  const origins = resolveOrigins(options.mirror);
  const client = new Client(await loadAccess(options.ca));
  const progress = new ProgressBar(process.stderr);
  const log = (line: string): void => progress.line(line);
  if (output) await refuseExisting(output);
  const { kubernetes: version, from, requireSignatures, loadBalancer, network: networks, runtime: runtimes } = options;
  const stages: Stage[] = [];
  const onStages = (done: Stage[]): void => void stages.push(...done);
  const directory = await interruptible((signal) =>
    ensureBundle({
      ...{ version, arch, from, origins, client, progress, requireSignatures, loadBalancer, networks, runtimes },
      balancers: options.kubeVip ? ['kube-vip'] : [],
      ...{ signal, log, onStages },
    }),
  );
  const bundle = await readBundle(output ? await copyBundle(directory, output) : directory);
  for (const line of stageTable(stages)) log(line);
  if (bundle.source === 'official') log(signatureSummary(bundle));
  result(`${bundle.directory}: ${describe(bundle)}`);
}

/** `kubewright bundle verify`. */
export async function verifyBundleDirectory(directory: string): Promise<void> {
  const bundle = await readBundle(directory);
  await verifyBundle(bundle);
  result(`${bundle.directory} is whole: ${describe(bundle)}`);
}

function describe(bundle: Bundle): string {
  const { kubernetesVersion, architecture, source, images } = bundle;
  const megabytes = Math.round(sizeOnDisk(bundle) / 1e6);
  const origin = source === 'official' ? 'official releases' : 'built from Go modules';
  return `Kubernetes ${kubernetesVersion} for ${architecture}, ${origin}, ${images.length} images, ${megabytes} MB`;
}

/** Who looks for the reasons finds them in bundle.json. */
function signatureSummary({ files, images }: Bundle): string {
  const states = new Map([...files, ...images].map(({ vouched }) => [vouched?.url, vouched?.signature?.state]));
  const count = (state: string): number => [...states.values()].filter((found) => found === state).length;
  return `signatures: ${count('verified')} verified, ${count('unchecked')} not checked, ${count('none')} of publishers that sign nothing`;
}

async function refuseExisting(output: string): Promise<void> {
  if (!(await stat(output).catch(() => undefined))) return;
  throw new KubewrightError('KW729', `${output} is there already.`, {
    hint: 'Give --output a directory that does not exist yet, or remove that one.',
  });
}

/** Copied beside the target and renamed, so that a copy that was interrupted cannot be taken for a bundle. */
async function copyBundle(directory: string, output: string): Promise<string> {
  await mkdir(dirname(output), { recursive: true });
  const partial = join(dirname(output), partialName(basename(output)));
  try {
    await cp(directory, partial, { recursive: true });
    await rename(partial, output);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return output;
}
