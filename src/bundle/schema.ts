import { posix } from 'node:path';
import { z } from 'zod';

/** Everything in a bundle is named relative to it, so that a bundle can be moved, and no name leads out of it. */
const relativePath = z
  .string()
  .min(1)
  .refine((path) => !posix.isAbsolute(path) && posix.normalize(path) === path && !path.startsWith('..'), {
    error: 'must be a plain path below the bundle',
  });

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' });

/** How content was vouched for when the bundle was made. Bundles that are older, or built from modules, do not say. */
const vouched = z.object({
  /** Where it was downloaded from: the file, the archive that it was in, or what an image's tag led to. */
  url: z.string().min(1),
  /** SHA-256 of what lies there. */
  sha256,
  /** Who says so: the address of a published checksum, `pinned` in Kubewright, or the `registry` for what its tag leads to. */
  sumFrom: z.string().min(1),
  /** `verified`: by whom. `none`: its publisher signs nothing. `unchecked`: why not, although there may be one. */
  signature: z.object({ state: z.enum(['verified', 'none', 'unchecked']), detail: z.string() }).optional(),
});

/** Path, sum, size and mode are those of the file as a host has it, whether it lies packed in the bundle or not. */
const bundleFile = z.object({
  path: relativePath,
  sha256,
  /** Bytes. */
  size: z.number().int().nonnegative(),
  /** Permission bits for the host, such as 0o755 (493 in JSON). */
  mode: z.number().int().min(0).max(0o7777),
  /** Of `PATH.gz`, which then lies there (gzip) instead of `PATH`. Bundles that are older hold nothing packed. */
  packed: z.object({ sha256, size: z.number().int().nonnegative() }).optional(),
  vouched: vouched.optional(),
});

const bundleImage = z.object({
  /** The archive: an OCI image layout in a tar, which `ctr images import` and `docker load` read. */
  file: relativePath,
  /** Full references, as kubeadm and the manifests write them. */
  names: z.array(z.string().min(1)).min(1),
  neededBy: z.enum(['control-plane', 'etcd', 'every-node', 'check', 'load-balancer']),
  /** Pod network that runs it, by its name in cluster.yaml: hosts of others do not take it. Left out: everybody does. */
  network: z.string().min(1).optional(),
  /** Of the archive. */
  sha256,
  /** Bytes of the archive. */
  size: z.number().int().nonnegative(),
  /** Version of what is inside, which a tag need not tell. */
  version: z.string().min(1),
  vouched: vouched.optional(),
});

/** `bundle.json`. Unknown keys are refused: they would be from a newer Kubewright, which this one would half obey. */
export const bundleManifest = z.strictObject({
  apiVersion: z.literal('kubewright.dev/v1alpha1'),
  kind: z.literal('Bundle'),
  kubernetesVersion: z.string().regex(/^\d+\.\d+\.\d+$/, { error: 'must be a version such as 1.34.3' }),
  architecture: z.enum(['amd64', 'arm64']),
  source: z.enum(['official', 'modules']),
  createdAt: z.iso.datetime().optional(),
  versions: z.record(z.string(), z.string()),
  files: z.array(bundleFile),
  images: z.array(bundleImage),
});

export type BundleManifest = z.infer<typeof bundleManifest>;
/** How content was vouched for when the bundle was made. */
export type Vouched = z.infer<typeof vouched>;
/** One file of a bundle that is not an image. */
export type BundleFile = z.infer<typeof bundleFile>;
/** One image archive of a bundle. */
export type BundleImage = z.infer<typeof bundleImage>;

/** A bundle on this machine's disk: what `bundle.json` says, and where it lies. */
export interface Bundle extends Omit<BundleManifest, 'apiVersion' | 'kind'> {
  /** Absolute. */
  directory: string;
}
