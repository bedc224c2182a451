import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { execa } from 'execa';
import { cacheDirectory } from '../../bundle/cache-directory.js';
import { KubewrightError, messageOf } from '../../errors.js';
import { downloadBySdk, findDownloaded } from './download.js';

/** The first server whose activities can be reset from outside, and the first UI that has the buttons for it. */
const MINIMUM_SERVER = [1, 28] as const;
const MINIMUM_UI = [2, 47] as const;

/** What the embedded server is run with. */
export interface ServerBinaries {
  /** Temporal's command line, which holds the server. */
  cli: string;
  /** The UI's own server; undefined when the one inside `cli` is used. */
  ui: string | undefined;
  /** What `cli` says of its version, such as `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)`. */
  version: string;
  /** Where they come from, for people. */
  source: string;
  /** What the user should know of them, such as a UI that is too old for its buttons. */
  notice?: string;
}

/** Where Temporal's programs come from. */
export interface BinaryOptions {
  /** Path of Temporal's command line; looked for when not given. */
  executable?: string;
  /** Path of the UI's server, for a command line whose own UI is too old. */
  uiExecutable?: string;
  /**
   * What last opened the database. Temporal promises nothing for a database of another version, so the same one is used
   * where it is still found.
   */
  previous?: { cli: string; version: string };
  env?: NodeJS.ProcessEnv;
  /** Ends a download or a build. */
  signal?: AbortSignal;
  onProgress?: (line: string) => void;
}

/**
 * Finds what the embedded server is run with: the path given, else the version that last opened the database, else `temporal`
 * on PATH, else Kubewright's cache, else the SDK downloads Temporal's command line into the cache, else it is built there
 * from Go modules.
 *
 * @throws KubewrightError KW508 when the given one cannot be used, KW7xx when nothing else is left and the build fails
 */
export async function findServerBinaries(options: BinaryOptions = {}): Promise<ServerBinaries> {
  if (options.executable !== undefined) return given(options.executable, options);
  return (await asBefore(options)) ?? withChange(await newlyFound(options), options);
}

async function newlyFound(options: BinaryOptions): Promise<ServerBinaries> {
  const onPath = await findOnPath('temporal', options.env ?? process.env);
  if (onPath !== undefined) {
    const usable = await inspect(onPath, 'PATH', options).catch(() => undefined);
    if (usable !== undefined) return usable;
    options.onProgress?.(`${onPath} is older than Temporal ${MINIMUM_SERVER.join('.')}: another one is used`);
  }
  return (await fromCache(options)) ?? (await fetched(options));
}

/** The version that last opened the database, at its place of then or at any other; undefined when it is nowhere. */
async function asBefore(options: BinaryOptions): Promise<ServerBinaries | undefined> {
  const { previous } = options;
  if (previous === undefined) return undefined;
  const { findTemporal } = await import('../../artifacts/temporal.js');
  const places = [
    previous.cli,
    await findOnPath('temporal', options.env ?? process.env),
    (await findTemporal())?.cli,
    await findDownloaded(downloadDirectory()),
  ];
  for (const place of places) {
    if (place === undefined) continue;
    const found = await inspect(place, 'the last start', options).catch(() => undefined);
    if (found?.version === previous.version) return found;
  }
  return undefined;
}

/** Says that the database meets another version: if that goes wrong, people should know what has changed. */
function withChange(found: ServerBinaries, { previous }: BinaryOptions): ServerBinaries {
  if (previous === undefined || previous.version === found.version) return found;
  const change = `The database was last opened by "${previous.version}", which is gone; "${found.version}" (${found.cli}) opens it now.`;
  return { ...found, notice: [found.notice, change].filter((line) => line !== undefined).join(' ') };
}

async function given(path: string, options: BinaryOptions): Promise<ServerBinaries> {
  try {
    return await inspect(resolve(path), 'the option given', options);
  } catch (cause) {
    throw new KubewrightError('KW508', `${path} cannot be used as Temporal's command line: ${messageOf(cause)}`, {
      hint: `Give the path of Temporal's CLI with a server of ${MINIMUM_SERVER.join('.')} or newer, or none to have one found.`,
      cause,
    });
  }
}

async function fromCache(options: BinaryOptions): Promise<ServerBinaries | undefined> {
  const { findTemporal } = await import('../../artifacts/temporal.js');
  const cached = (await findTemporal())?.cli ?? (await findDownloaded(downloadDirectory()));
  return cached === undefined ? undefined : inspect(cached, 'cache', options).catch(() => undefined);
}

async function fetched(options: BinaryOptions): Promise<ServerBinaries> {
  const say = options.onProgress ?? (() => {});
  say("downloading Temporal's command line");
  try {
    return await inspect(await downloadBySdk(downloadDirectory(), options.signal), 'download', options);
  } catch (error) {
    options.signal?.throwIfAborted();
    say(`the download failed (${messageOf(error)}): building it from Go modules, which takes a few minutes once`);
  }
  const { ensureTemporal } = await import('../../artifacts/temporal.js');
  const built = await ensureTemporal({ log: say, signal: options.signal });
  return inspect(built.cli, 'build', options);
}

function downloadDirectory(): string {
  return join(cacheDirectory(), 'temporal-cli');
}

/** Asks a command line for its versions: `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)`. */
async function inspect(cli: string, source: string, options: BinaryOptions): Promise<ServerBinaries> {
  const { stdout } = await execa(cli, ['--version'], { timeout: 10_000, stdin: 'ignore' });
  const server = versionAfter('Server', stdout);
  if (server === undefined || isBefore(server, MINIMUM_SERVER)) {
    throw new Error(`it says ${JSON.stringify(stdout.trim().slice(0, 200))}`);
  }
  const found = { cli, version: stdout.trim(), source };
  if (options.uiExecutable !== undefined) return { ...found, ui: resolve(options.uiExecutable) };
  const own = versionAfter('UI', stdout);
  if (own !== undefined && !isBefore(own, MINIMUM_UI)) return { ...found, ui: undefined };
  const ui = await cachedUi();
  if (ui !== undefined) return { ...found, ui };
  const notice = `Temporal's UI ${own?.join('.') ?? ''} has no button to reset an activity; ${MINIMUM_UI.join('.')} has.`;
  return { ...found, ui: undefined, notice };
}

async function cachedUi(): Promise<string | undefined> {
  const { findTemporal } = await import('../../artifacts/temporal.js');
  return (await findTemporal())?.ui;
}

function versionAfter(name: string, text: string): [number, number] | undefined {
  const match = new RegExp(`${name} (\\d+)\\.(\\d+)`).exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

function isBefore(version: readonly [number, number], minimum: readonly [number, number]): boolean {
  return version[0] < minimum[0] || (version[0] === minimum[0] && version[1] < minimum[1]);
}

async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const directory of (env.PATH ?? '').split(delimiter)) {
    const path = join(directory, name);
    const runs =
      directory !== '' &&
      (await access(path, constants.X_OK).then(
        () => true,
        () => false,
      ));
    if (runs) return path;
  }
  return undefined;
}
