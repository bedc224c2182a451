import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleImage } from '../../bundle/schema.js';
import { moveFile } from '../cache/cache.js';
import {
  archiveName,
  CNI_PLUGINS,
  FLANNEL_MANIFEST,
  finishBundle,
  flannelImages,
  HOST_PROGRAMS,
  makeFolders,
} from '../contents.js';
import { buildGo, type GoBuildOptions, type GoScratch, moduleDirectory, prefetchModules } from '../go/build.js';
import { type MadeLoadBalancer, makeLoadBalancer } from '../load-balancer.js';
import { writeArchive } from '../oci/archive.js';
import { imageOf } from '../oci/image.js';
import { type Architecture, bundleRecipes, flannelRecipe, kubernetesRecipe } from '../recipes.js';
import type { Stages } from '../stages.js';
import { type BaseLayers, makeBaseLayers } from './base.js';
import { unpackDebianPackages } from './debian.js';
import { type ImageRecipe, type ImageSources, imageRecipes } from './images.js';
import { buildPause, readTags, requireTagged } from './kubernetes.js';

export interface ModulesBuild {
  kubernetesVersion: string;
  architecture: Architecture;
  scratch: GoScratch;
  stages: Stages;
  signal: AbortSignal;
}

/** How many stages `buildBundleFromModules` goes through. */
export function stageCount(kubernetesVersion: string): number {
  return bundleRecipes(kubernetesVersion).length + 4;
}

/** Fills `directory` with a bundle whose every program is built here. */
export async function buildBundleFromModules(directory: string, build: ModulesBuild): Promise<void> {
  const programs = join(build.scratch.directory, `programs-${build.architecture}`);
  await mkdir(programs, { recursive: true });
  await makeFolders(directory);
  const { base, loadBalancer } = await buildPrograms(directory, programs, build);
  const sources = await collectSources(directory, programs, base, build);
  const written = await build.stages.run('writing images', () => writeImages(directory, sources, build.architecture));
  const images = [...written, ...loadBalancer.images];
  await placePrograms(directory, programs);
  const { kubernetesVersion, architecture, signal } = build;
  const versions = { ...versionsOf(kubernetesVersion, base), ...loadBalancer.versions };
  const facts = { kubernetesVersion, architecture, source: 'modules', versions, images } as const;
  await build.stages.run('packing programs', () => finishBundle(directory, facts, signal));
}

/** What is made of Debian's packages. */
interface FromDebian {
  base: BaseLayers;
  loadBalancer: MadeLoadBalancer;
}

/**
 * Two lanes: one builds, for a single build of this size keeps every core busy by itself; the other fetches what the
 * next builds will need. When one fails, the other is stopped.
 */
async function buildPrograms(directory: string, programs: string, build: ModulesBuild): Promise<FromDebian> {
  const { architecture, scratch, stages, kubernetesVersion } = build;
  const failed = new AbortController();
  const signal = AbortSignal.any([build.signal, failed.signal]);
  const options: GoBuildOptions = { architecture, scratch, signal };
  const recipes = bundleRecipes(kubernetesVersion);
  const libraries = recipes.flatMap((recipe) => recipe.libraries ?? []);
  const debian = (name: string): string => join(scratch.directory, `${name}-${architecture}`);
  const fetched = unpackDebianPackages(libraries, architecture, debian('libraries'), signal);
  // Awaited by the recipe that needs it; until then nobody listens.
  fetched.catch(() => undefined);
  const compile = async (): Promise<void> => {
    for (const recipe of recipes) {
      const sysroot = recipe.libraries === undefined ? undefined : (await fetched).root;
      const own = sysroot === undefined ? options : { ...options, sysroot };
      await stages.run(`building ${recipe.title}`, () => buildGo(recipe, programs, own));
    }
  };
  const fetch = async (): Promise<FromDebian> => {
    const base = await stages.run('fetching Debian packages', () =>
      makeBaseLayers(architecture, debian('debian'), signal),
    );
    const loadBalancer = await stages.run('packing HAProxy and keepalived', () =>
      makeLoadBalancer(directory, { architecture, scratch: debian('load-balancer'), signal }),
    );
    // The last recipes are the longest: their modules have the time of the first ones to arrive.
    for (const recipe of recipes.slice(1)) await prefetchModules(recipe, options);
    return { base, loadBalancer };
  };
  const lanes = [compile(), fetch()] as const;
  try {
    const [, fromDebian] = await Promise.all(lanes);
    return fromDebian;
  } finally {
    failed.abort();
    await Promise.allSettled(lanes);
  }
}

async function collectSources(
  directory: string,
  programs: string,
  base: BaseLayers,
  build: ModulesBuild,
): Promise<ImageSources> {
  const { architecture, kubernetesVersion, scratch, signal } = build;
  const options: GoBuildOptions = { architecture, scratch, signal };
  const kubernetes = await moduleDirectory(kubernetesRecipe(kubernetesVersion), 'k8s.io/kubernetes', options);
  const flannel = await moduleDirectory(flannelRecipe, 'github.com/flannel-io/flannel', options);
  const manifest = await readFile(join(flannel, 'Documentation/kube-flannel.yml'), 'utf8');
  await writeFile(join(directory, FLANNEL_MANIFEST), manifest);
  const tags = await readTags(kubernetes);
  const versions = Object.fromEntries(bundleRecipes(kubernetesVersion).map(({ name, version }) => [name, version]));
  requireTagged(kubernetesVersion, tags, versions);
  await buildPause(kubernetes, join(programs, 'pause'), architecture, tags.pause);
  const names = flannelImages(manifest);
  return { kubernetesVersion, tags, versions, kubernetes, programs, base, flannelImages: names };
}

async function writeImages(
  directory: string,
  sources: ImageSources,
  architecture: Architecture,
): Promise<BundleImage[]> {
  const images: BundleImage[] = [];
  for (const recipe of await imageRecipes(sources)) images.push(await writeImage(directory, recipe, architecture));
  return images;
}

async function writeImage(directory: string, recipe: ImageRecipe, architecture: Architecture): Promise<BundleImage> {
  const { name, aliases = [], neededBy, version, config, layers } = recipe;
  const file = archiveName(name);
  const names = [name, ...aliases];
  const written = await writeArchive(imageOf(names, architecture, config, layers), join(directory, file));
  return { file, names, neededBy, version, ...written };
}

async function placePrograms(directory: string, programs: string): Promise<void> {
  for (const name of HOST_PROGRAMS) await moveFile(join(programs, name), join(directory, 'bin', name));
  for (const name of [...CNI_PLUGINS, 'flannel']) await moveFile(join(programs, name), join(directory, 'cni', name));
}

function versionsOf(kubernetesVersion: string, base: BaseLayers): Record<string, string> {
  const recipes = bundleRecipes(kubernetesVersion).map(({ name, version }) => [name, version]);
  const packages = Object.entries(base.versions).map(([name, version]) => [`debian/${name}`, version]);
  return Object.fromEntries([...recipes, ...packages]);
}
