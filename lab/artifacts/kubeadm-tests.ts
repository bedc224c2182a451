import { join } from 'node:path';
import { ensureArtifact, type Log } from '../../src/artifacts/cache/cache.js';
import { buildGo, withGoScratch } from '../../src/artifacts/go/build.js';
import { requireGo } from '../../src/artifacts/go/tools.js';
import { machineArchitecture, recipeHash } from '../../src/artifacts/recipes.js';
import { Stages } from '../../src/artifacts/stages.js';
import { KubewrightError } from '../../src/errors.js';

import { kubeadmTestsRecipe } from './recipes.js';

/** Measured peak of Go's caches and the result, rounded up; units of 10^9 bytes. */
const PEAK_GIGABYTES = 3;

/**
 * kubeadm's own end-to-end tests (`test/e2e_kubeadm` of Kubernetes) as a program, from the cache or else built into it from
 * Go modules (three minutes on two cores). They ask a cluster through its kubeconfig whether it is as kubeadm makes one.
 * Only the lab tests need them, so nothing else builds them.
 *
 * @returns the program's path
 * @throws KW701 no disk space, KW705 no Go, KW706 not a machine they are built for, KW710 the build failed
 */
export async function ensureKubeadmTests(kubernetesVersion: string, log: Log = () => {}): Promise<string> {
  const architecture = machineArchitecture();
  if (process.platform !== 'linux' || !architecture) {
    const machine = `${process.platform} on ${process.arch}`;
    throw new KubewrightError('KW706', `kubeadm's tests are not built for ${machine} here.`, {
      hint: 'Run the lab on Linux.',
    });
  }
  const recipe = kubeadmTestsRecipe(kubernetesVersion);
  const key = {
    kind: 'kubeadm-tests',
    version: `${kubernetesVersion}-${architecture}`,
    recipe: await recipeHash([recipe]),
  };
  const build = async (directory: string): Promise<void> => {
    await requireGo();
    await withGoScratch(PEAK_GIGABYTES, recipe.title, async (scratch) => {
      await new Stages(1, log).run(`building ${recipe.title}`, () =>
        buildGo(recipe, directory, { architecture, scratch }),
      );
    });
  };
  return join(await ensureArtifact(key, build, log), 'kubeadm-tests');
}
