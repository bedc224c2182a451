import { join } from 'node:path';
import { KubewrightError } from '../errors.js';
import { type ArtifactKey, ensureArtifact, findArtifact, type Log } from './cache/cache.js';
import { buildGo, type GoScratch, withGoScratch } from './go/build.js';
import { requireGo } from './go/tools.js';
import { type Architecture, machineArchitecture, recipeHash, temporalCliRecipe, temporalUiRecipe } from './recipes.js';
import { type Stage, Stages } from './stages.js';

/** Measured peak of Go's caches and the result, rounded up; units of 10^9 bytes. */
const PEAK_GIGABYTES = 4;

/** Temporal's command line (server included) and its web interface, as files to run. */
export interface TemporalBinaries {
  /** `temporal`; run the server as `temporal server start-dev --headless`. */
  cli: string;
  /** The UI's server: newer than the one inside the CLI, whose UI cannot reset a single activity. */
  ui: string;
  versions: { cli: string; ui: string };
}

const recipes = [temporalCliRecipe, temporalUiRecipe];

async function temporalKey(architecture: Architecture): Promise<ArtifactKey> {
  const version = `${temporalCliRecipe.version}-${architecture}`;
  return { kind: 'temporal', version, recipe: await recipeHash(recipes) };
}

function binariesIn(directory: string): TemporalBinaries {
  return {
    cli: join(directory, 'temporal'),
    ui: join(directory, 'temporal-ui-server'),
    versions: { cli: temporalCliRecipe.version, ui: temporalUiRecipe.version },
  };
}

/** What an earlier build left in the cache, in a few milliseconds; undefined when there is none. */
export async function findTemporal(): Promise<TemporalBinaries | undefined> {
  const architecture = machineArchitecture();
  if (process.platform !== 'linux' || !architecture) return undefined;
  const directory = await findArtifact(await temporalKey(architecture));
  return directory === undefined ? undefined : binariesIn(directory);
}

export interface EnsureTemporalOptions {
  log?: Log;
  signal?: AbortSignal | undefined;
  /** Go's caches to share with other builds of the same run. */
  scratch?: GoScratch | undefined;
  /** Told how long each stage took, if there was something to do. */
  onStages?: (stages: Stage[]) => void;
}

/**
 * Temporal's server and UI from the cache, else built from Go modules into it (about three minutes on two cores).
 *
 * @throws KW701 no disk space, KW705 no Go, KW706 not a machine it is built for, KW710 the build failed
 */
export async function ensureTemporal(options: EnsureTemporalOptions = {}): Promise<TemporalBinaries> {
  const architecture = machineArchitecture();
  if (process.platform !== 'linux' || !architecture) {
    throw new KubewrightError('KW706', `Temporal is not built for ${process.platform} on ${process.arch} here.`, {
      hint: "Install Temporal's own CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH.",
    });
  }
  const key = await temporalKey(architecture);
  return binariesIn(await ensureArtifact(key, (directory) => build(directory, architecture, options), options.log));
}

async function build(directory: string, architecture: Architecture, options: EnsureTemporalOptions): Promise<void> {
  const { log = () => {}, signal, scratch: shared, onStages } = options;
  await requireGo();
  const stages = new Stages(recipes.length, log);
  const buildAll = async (scratch: GoScratch): Promise<void> => {
    for (const recipe of recipes) {
      await stages.run(`building ${recipe.title}`, () => buildGo(recipe, directory, { architecture, scratch, signal }));
    }
  };
  await (shared ? buildAll(shared) : withGoScratch(PEAK_GIGABYTES, 'Temporal', buildAll));
  onStages?.(stages.done);
}
