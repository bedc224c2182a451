import { existsSync } from 'node:fs';
import type { ConnectionSettings, ConnectOptions, Engine } from '../../engine/index.js';
import { KubewrightError } from '../../errors.js';
import type { CommandContext } from './action.js';

/** What the options and the environment say of Temporal. */
export async function connectOptions({ options, shell, output }: CommandContext): Promise<ConnectOptions> {
  const { stateDirectory } = await import('../../engine/state-directory.js');
  const { address, namespace, profile, embedded: embeddedOnly } = options;
  const stateDir = options.stateDir ?? stateDirectory(shell.env);
  const onProgress = (line: string) => output.note(line);
  return { address, namespace, profile, embeddedOnly, stateDir, env: shell.env, embedded: { onProgress } };
}

/**
 * Connects, starting the embedded server where that is the one, and tells what the user should know: which server it is, first
 * of all. A forgotten variable or profile sends an install to a server that somebody else reads, so one that is named is told
 * before it is even asked.
 *
 * @param signal gives up
 */
export async function openEngine(context: CommandContext, signal?: AbortSignal): Promise<Engine> {
  const { connect, resolveSettings } = await import('../../engine/index.js');
  const options = await connectOptions(context);
  const named = resolveSettings(options);
  if (named !== undefined) await tellServer(context, named);
  const engine = await connect({ ...options, signal });
  if (named === undefined) await tellServer(context, engine.settings);
  for (const notice of engine.notices) context.output.note(notice);
  return engine;
}

/** As a line for people; for programs as a field of the next object, whatever that is. */
async function tellServer({ output }: CommandContext, settings: ConnectionSettings): Promise<void> {
  const { address, namespace, source } = settings;
  output.withNextObject({ temporal: { address, namespace, source } });
  const { describeSettings } = await import('../../engine/settings.js');
  if (!output.json) output.note(describeSettings(settings));
}

/**
 * Connects for looking and deciding. Where the embedded server has never run there is nothing to look at, and none is
 * fetched or started for it.
 *
 * @throws KubewrightError KW523 then
 */
export async function openExistingEngine(context: CommandContext, signal?: AbortSignal): Promise<Engine> {
  const options = await connectOptions(context);
  const { resolveSettings } = await import('../../engine/settings.js');
  const { databasePath } = await import('../../engine/server/launch.js');
  if (resolveSettings(options) === undefined && !existsSync(databasePath(options.stateDir ?? ''))) {
    throw new KubewrightError('KW523', `Nothing has been installed from here: ${options.stateDir} holds no installs`, {
      hint: 'Start one with `kubewright install cluster.yaml`, or name another Temporal server (--address) or --state-dir.',
    });
  }
  return openEngine(context, signal);
}

/**
 * Does something with the Temporal server that is there, and lets go of it whatever comes of that.
 *
 * @throws KubewrightError KW523 as `openExistingEngine`; what `use` throws
 */
export async function withExistingEngine<T>(
  context: CommandContext,
  use: (engine: Engine) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const engine = await openExistingEngine(context, signal);
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

/**
 * The cluster that is meant: the one named, else the only one there is.
 *
 * @param which `running`: where only one cluster's install runs, that is the one, however many there have been
 * @throws KubewrightError KW525 when there are several, or none
 */
export async function chooseCluster(engine: Engine, named: string | undefined, which?: 'running'): Promise<string> {
  if (named !== undefined) return named;
  const { listRuns } = await import('../../engine/index.js');
  const listings = await listRuns(engine, { latest: true });
  const running = listings.filter(({ status }) => status === 'running');
  const chosen = which === 'running' && running.length > 0 ? running : listings;
  const names = [...new Set(chosen.map((listing) => listing.cluster))];
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const hint =
    only === undefined ? 'Start one with `kubewright install cluster.yaml`.' : `Name one: ${names.join(', ')}.`;
  const message = only === undefined ? 'There is no install' : `There are installs of ${names.length} clusters`;
  throw new KubewrightError('KW525', message, { hint });
}
