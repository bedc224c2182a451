import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureArtifact, type Log } from '../../src/artifacts/cache/cache.js';
import { buildGo, moduleDirectory, withGoScratch } from '../../src/artifacts/go/build.js';
import { requireGo } from '../../src/artifacts/go/tools.js';
import { machineArchitecture, moduleFile, recipeHash } from '../../src/artifacts/recipes.js';
import { Stages } from '../../src/artifacts/stages.js';
import { KubewrightError } from '../../src/errors.js';

import { composeSpecRecipe, temporalServerRecipe } from './recipes.js';

/** Measured peak of Go's caches and the result, rounded up; units of 10^9 bytes. */
const PEAK_GIGABYTES = 5;

/** What docker-compose.yml is proven with where no container engine runs. */
export interface TeamPrograms {
  /** Directory of the programs below: for PATH. */
  directory: string;
  /** `temporal-server`, as the image `temporalio/server` starts it. */
  server: string;
  /** `temporal-sql-tool`, as in the image `temporalio/admin-tools`. */
  sqlTool: string;
  /** The script that the image `temporalio/server` starts. */
  entrypoint: string;
  /** Compose's own loader: `compose-spec docker-compose.yml` prints what it understood as JSON. */
  composeSpec: string;
  /** The JSON Schema that it holds files to. */
  composeSchema: string;
  versions: { server: string; compose: string };
}

/**
 * The programs for teams from the cache, else built from Go modules into it (three to four minutes on two cores). Only
 * the proof of docs/teams.md needs them, so nothing else builds them.
 *
 * @throws KW701 no disk space, KW705 no Go, KW706 not a machine they are built for, KW710 a build failed
 */
export async function ensureTeamPrograms(log: Log = () => {}): Promise<TeamPrograms> {
  const architecture = machineArchitecture();
  if (process.platform !== 'linux' || !architecture) {
    throw new KubewrightError('KW706', `Temporal is not built for ${process.platform} on ${process.arch} here.`, {
      hint: 'Use the images that docker-compose.yml names.',
    });
  }
  const recipes = [temporalServerRecipe, composeSpecRecipe];
  const version = `${temporalServerRecipe.version}-${architecture}`;
  const program = await readFile(moduleFile(composeSpecRecipe, 'main.go'), 'utf8');
  const key = { kind: 'temporal-server', version, recipe: await recipeHash(recipes, program) };
  const directory = await ensureArtifact(key, (into) => build(into, architecture, log), log);
  return {
    directory,
    server: join(directory, 'temporal-server'),
    sqlTool: join(directory, 'temporal-sql-tool'),
    entrypoint: join(directory, 'entrypoint.sh'),
    composeSpec: join(directory, 'compose-spec'),
    composeSchema: join(directory, 'compose-spec.json'),
    versions: { server: temporalServerRecipe.version, compose: composeSpecRecipe.version },
  };
}

async function build(
  directory: string,
  architecture: NonNullable<ReturnType<typeof machineArchitecture>>,
  log: Log,
): Promise<void> {
  await requireGo();
  const stages = new Stages(2, log);
  await withGoScratch(PEAK_GIGABYTES, temporalServerRecipe.title, async (scratch) => {
    const options = { architecture, scratch };
    await stages.run(`building ${composeSpecRecipe.title}`, async () => {
      await buildGo(composeSpecRecipe, directory, options);
      const module = await moduleDirectory(composeSpecRecipe, 'github.com/compose-spec/compose-go/v2', options);
      await copyFile(join(module, 'schema', 'compose-spec.json'), join(directory, 'compose-spec.json'));
    });
    await stages.run(`building ${temporalServerRecipe.title}`, async () => {
      await buildGo(temporalServerRecipe, directory, options);
      const module = await moduleDirectory(temporalServerRecipe, 'go.temporal.io/server', options);
      await copyFile(join(module, 'docker', 'scripts', 'sh', 'entrypoint.sh'), join(directory, 'entrypoint.sh'));
    });
  });
}
