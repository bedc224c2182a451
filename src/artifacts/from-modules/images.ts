import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleImage } from '../../bundle/schema.js';
import { type ImageConfig, type Layer, layerOf } from '../oci/image.js';
import { fileContent, type TarEntry } from '../oci/tar.js';
import { flannelCniRecipe, flannelRecipe } from '../recipes.js';
import { accountEntries, type BaseLayers } from './base.js';
import type { KubernetesTags } from './kubernetes.js';

/**
 * Raise this when what goes into an image changes: it is part of the bundle's key in the cache, and unlike the
 * recipes of the Go binaries nothing else tells that an older bundle is another one.
 */
export const IMAGES_REVISION = 3;

/** An image of the bundle: what it is called, who needs it, and what is in it. */
export interface ImageRecipe {
  name: string;
  /** Further names of the same image. */
  aliases?: string[];
  neededBy: BundleImage['neededBy'];
  version: string;
  config: ImageConfig;
  layers: Layer[];
}

/** Where the parts of the images lie. */
export interface ImageSources {
  kubernetesVersion: string;
  tags: KubernetesTags;
  /** Of what was built, by the names of recipes. */
  versions: Record<string, string>;
  /** Directory of the module k8s.io/kubernetes. */
  kubernetes: string;
  /** Directory with every program that was built. */
  programs: string;
  base: BaseLayers;
  /** The image names in flannel's manifest. */
  flannelImages: { flannel: string; cniPlugin: string };
}

const CONTROL_PLANE = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/** All images of a cluster, with the contents that kubeadm's and flannel's manifests expect of them. */
export async function imageRecipes(sources: ImageSources): Promise<ImageRecipe[]> {
  const { tags, flannelImages: flannel } = sources;
  return [
    ...(await Promise.all(CONTROL_PLANE.map((name) => controlPlaneImage(name, sources)))),
    await etcdImage(tags.etcd, sources),
    await corednsImage(tags.coredns, sources),
    await pauseImage(tags.pause, sources),
    await kubeProxyImage(sources),
    await flannelImage(flannel.flannel, sources),
    await flannelCniImage(flannel.cniPlugin, sources),
    await agnhostImage(tags, sources),
  ];
}

async function controlPlaneImage(name: string, sources: ImageSources): Promise<ImageRecipe> {
  const version = `v${sources.kubernetesVersion}`;
  return {
    name: `registry.k8s.io/${name}:${version}`,
    neededBy: 'control-plane',
    version,
    config: {},
    // The manifests call the program by its bare name: found by PATH.
    layers: [await layerOf([...accountEntries(), await program(sources, name, `usr/local/bin/${name}`)])],
  };
}

async function etcdImage(tag: string, sources: ImageSources): Promise<ImageRecipe> {
  const programs = ['etcd', 'etcdctl', 'etcdutl'].map((name) => program(sources, name, `usr/local/bin/${name}`));
  return {
    name: `registry.k8s.io/etcd:${tag}`,
    neededBy: 'etcd',
    version: sources.versions.etcd ?? tag,
    config: {},
    layers: [await layerOf([...accountEntries(), ...(await Promise.all(programs))])],
  };
}

/**
 * `cap_net_bind_service=ep` as the kernel stores it (struct vfs_cap_data, revision 2, effective bit set; the
 * capability has number 10). kubeadm's manifest drops all capabilities but this one, and a user who is not root gets
 * even this one only through the file.
 */
export const NET_BIND_SERVICE = Buffer.from('0100000200040000000000000000000000000000', 'hex');

async function corednsImage(tag: string, sources: ImageSources): Promise<ImageRecipe> {
  const binary = await program(sources, 'coredns', 'coredns', { 'security.capability': NET_BIND_SERVICE });
  return {
    name: `registry.k8s.io/coredns/coredns:${tag}`,
    neededBy: 'every-node',
    version: sources.versions.coredns ?? tag,
    config: { Entrypoint: ['/coredns'], User: '65532:65532', WorkingDir: '/' },
    layers: [await layerOf([...accountEntries(), ...sources.base.certificates, binary])],
  };
}

async function pauseImage(tag: string, sources: ImageSources): Promise<ImageRecipe> {
  return {
    name: `registry.k8s.io/pause:${tag}`,
    neededBy: 'every-node',
    version: tag,
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    layers: [await layerOf([await program(sources, 'pause', 'pause')])],
  };
}

async function kubeProxyImage(sources: ImageSources): Promise<ImageRecipe> {
  const version = `v${sources.kubernetesVersion}`;
  const { busybox, netfilter } = sources.base;
  return {
    name: `registry.k8s.io/kube-proxy:${version}`,
    neededBy: 'every-node',
    version,
    config: {},
    layers: [busybox, netfilter, await layerOf([await program(sources, 'kube-proxy', 'usr/local/bin/kube-proxy')])],
  };
}

async function flannelImage(name: string, sources: ImageSources): Promise<ImageRecipe> {
  const { busybox, netfilter } = sources.base;
  return {
    name,
    neededBy: 'every-node',
    version: flannelRecipe.version,
    config: { Entrypoint: ['/opt/bin/flanneld'] },
    layers: [busybox, netfilter, await layerOf([await program(sources, 'flanneld', 'opt/bin/flanneld')])],
  };
}

/** The manifest's init container copies the plugin from here to the host, with the image's own `cp`. */
async function flannelCniImage(name: string, sources: ImageSources): Promise<ImageRecipe> {
  return {
    name,
    neededBy: 'every-node',
    version: flannelCniRecipe.version,
    config: {},
    layers: [sources.base.busybox, await layerOf([await program(sources, 'flannel', 'flannel')])],
  };
}

/**
 * As test/images/agnhost/Dockerfile has it, but with busybox and Debian's tools for Alpine's. Kubernetes' own tests ask for an
 * image of Debian's beside it, to resolve names by glibc as well as by musl: this one, with glibc in it, is that one too.
 */
async function agnhostImage(tags: KubernetesTags, sources: ImageSources): Promise<ImageRecipe> {
  const porter = join(sources.kubernetes, 'test/images/agnhost/porter');
  const certificates = await Promise.all(
    ['localhost.crt', 'localhost.key'].map(async (path): Promise<TarEntry> => {
      return { path, type: 'file', content: await readFile(join(porter, path)) };
    }),
  );
  const entries: TarEntry[] = [
    await program(sources, 'agnhost', 'agnhost'),
    { path: 'agnhost-2', type: 'symlink', target: 'agnhost' },
    { path: 'uploads', type: 'directory' },
    ...certificates,
  ];
  const name = `registry.k8s.io/e2e-test-images/agnhost:${tags.agnhost}`;
  return {
    name,
    aliases: tags.suite.filter((alias) => alias !== name),
    neededBy: 'check',
    version: tags.agnhost,
    config: { Entrypoint: ['/agnhost'], Cmd: ['pause'], WorkingDir: '/' },
    layers: [sources.base.busybox, sources.base.checkTools, await layerOf(entries)],
  };
}

async function program(
  sources: ImageSources,
  name: string,
  path: string,
  xattrs: Record<string, Buffer> = {},
): Promise<TarEntry> {
  const content = await fileContent(join(sources.programs, name));
  return { path, type: 'file', mode: 0o755, content, xattrs };
}
