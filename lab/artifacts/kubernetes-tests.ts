import { join } from 'node:path';
import { ensureArtifact, type Log } from '../../src/artifacts/cache/cache.js';
import { buildGo, withGoScratch } from '../../src/artifacts/go/build.js';
import { requireGo } from '../../src/artifacts/go/tools.js';
import { type GoRecipe, machineArchitecture, recipeHash } from '../../src/artifacts/recipes.js';
import { Stages } from '../../src/artifacts/stages.js';
import { KubewrightError } from '../../src/errors.js';

import { conformanceTestsRecipe, kubeadmTestsRecipe } from './recipes.js';

/**
 * Peaks of Go's caches and the result, rounded up; units of 10^9 bytes. That of kubeadm's tests is measured, that of the suite
 * is the sum of its modules and objects.
 */
const PEAK_GIGABYTES = { kubeadm: 3, conformance: 6 };

/**
 * kubeadm's own end-to-end tests (`test/e2e_kubeadm` of Kubernetes) as a program, from the cache or else built into it from
 * Go modules (three minutes on two cores). They ask a cluster through its kubeconfig whether it is as kubeadm makes one.
 * Only the lab tests need them, so nothing else builds them.
 *
 * @returns the program's path
 * @throws KW701 no disk space, KW705 no Go, KW706 not a machine they are built for, KW710 the build failed
 */
export async function ensureKubeadmTests(kubernetesVersion: string, log: Log = () => {}): Promise<string> {
  return await ensureTests(kubeadmTestsRecipe(kubernetesVersion), kubernetesVersion, PEAK_GIGABYTES.kubeadm, log);
}

/**
 * Kubernetes' end-to-end tests (`test/e2e`), the conformance suite among them, as a program: `e2e.test` of its releases. From
 * the cache or else built into it (four minutes of one core where a bundle of the release lies in Go's caches, else longer).
 *
 * @returns the program's path
 * @throws KW701 no disk space, KW705 no Go, KW706 not a machine they are built for, KW710 the build failed
 */
export async function ensureConformanceTests(kubernetesVersion: string, log: Log = () => {}): Promise<string> {
  const recipe = conformanceTestsRecipe(kubernetesVersion);
  return await ensureTests(recipe, kubernetesVersion, PEAK_GIGABYTES.conformance, log);
}

async function ensureTests(recipe: GoRecipe, version: string, gigabytes: number, log: Log): Promise<string> {
  const architecture = machineArchitecture();
  if (process.platform !== 'linux' || !architecture) {
    const machine = `${process.platform} on ${process.arch}`;
    throw new KubewrightError('KW706', `Kubernetes' tests are not built for ${machine} here.`, {
      hint: 'Run the lab on Linux.',
    });
  }
  const key = { kind: recipe.name, version: `${version}-${architecture}`, recipe: await recipeHash([recipe]) };
  const build = async (directory: string): Promise<void> => {
    await requireGo();
    await withGoScratch(gigabytes, recipe.title, async (scratch) => {
      await new Stages(1, log).run(`building ${recipe.title}`, () =>
        buildGo(recipe, directory, { architecture, scratch }),
      );
    });
  };
  return join(await ensureArtifact(key, build, log), recipe.name);
}
