import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isKubewrightError, messageOf } from '../../errors.js';
import { isAlive, type ProcessIdentity } from '../processes/identity.js';
import { terminate } from '../processes/terminate.js';
import { type BinaryOptions, findServerBinaries, type ServerBinaries } from './binaries.js';
import { launchServer, startDetached } from './launch.js';
import { freePort, isPortTaken, LOOPBACK } from './ports.js';
import { type ServerRecord, STOP_GRACE_MS } from './record.js';
import { retain } from './retention.js';
import { launchUi } from './ui.js';

/** A port may be taken between the look and its use; three times in a row that is no accident. */
const PORT_TRIES = 3;

/** How the embedded server is found, or started. */
export interface EmbeddedServerOptions extends BinaryOptions {
  stateDir: string;
  /** Port of the server; by default the one it had before, else a free one. */
  port?: number;
  /** Whether a UI runs beside it; default true. */
  ui?: boolean;
  /** Program of the keeper and options of Node for it; default: the one beside this file, where it was built. */
  keeper?: { program: string; nodeOptions?: string[]; lookMs?: number };
}

export type ChosenBinaries = ServerBinaries & Pick<ServerRecord, 'executable' | 'uiExecutable'>;

/** Programs named now, else those that the last starter named, else what is found, the version of last time first. */
export async function chosenBinaries(
  previous: ServerRecord | undefined,
  options: EmbeddedServerOptions,
): Promise<ChosenBinaries> {
  const executable = options.executable ?? previous?.executable ?? undefined;
  const uiExecutable = options.uiExecutable ?? previous?.uiExecutable ?? undefined;
  const wrote = previous?.cliVersion ? { cli: previous.cli, version: previous.cliVersion } : undefined;
  const binaries = await findServerBinaries({ ...options, executable, uiExecutable, previous: wrote });
  return { ...binaries, executable: executable ?? null, uiExecutable: uiExecutable ?? null };
}

/** Starts server, UI and keeper. */
export async function startServer(
  previous: ServerRecord | undefined,
  options: EmbeddedServerOptions,
  binaries: ChosenBinaries,
): Promise<ServerRecord> {
  // A UI that outlived its server holds the UI's port and asks a server that is gone; its keeper watches nothing any more.
  for (const left of [previous?.ui, previous?.keeper]) if (left) await terminate(left, STOP_GRACE_MS);
  const { identity, port, ownUi } = await startOnFreePort(previous, options, binaries);
  await retain(`${LOOPBACK}:${port}`);
  const beside =
    options.ui !== false && binaries.ui !== undefined
      ? await startUi(binaries.ui, port, previous?.uiPort ?? undefined, options)
      : { uiPort: ownUi ?? null, ui: null };
  const kept = { users: previous?.users ?? [], detached: previous?.detached ?? false };
  const { cli, version, executable, uiExecutable } = binaries;
  const programs = { cli, cliVersion: version, executable, uiExecutable, notice: binaries.notice ?? null };
  return { ...identity, port, ...kept, ...programs, ...beside, keeper: await startKeeper(options) };
}

async function startOnFreePort(
  previous: ServerRecord | undefined,
  options: EmbeddedServerOptions,
  { cli, ui }: ServerBinaries,
): Promise<{ identity: ProcessIdentity; port: number; ownUi: number | undefined }> {
  const wantsOwnUi = options.ui !== false && ui === undefined;
  for (let attempt = 1; ; attempt += 1) {
    const before = attempt === 1 ? previous : undefined;
    const port = await freePort(attempt === 1 ? (options.port ?? before?.port) : undefined);
    const ownUi = wantsOwnUi ? await freePort(before?.uiPort ?? undefined) : undefined;
    try {
      return {
        identity: await launchServer(cli, options.stateDir, { server: port, ui: ownUi }, options.signal),
        port,
        ownUi,
      };
    } catch (error) {
      const output = isKubewrightError(error) ? (error.output ?? '') : '';
      if (attempt === PORT_TRIES || !isPortTaken(output)) throw error;
    }
  }
}

/** A living server's UI or keeper that has died is started again beside it. */
export async function withCompanions(record: ServerRecord, options: EmbeddedServerOptions): Promise<ServerRecord> {
  const kept =
    record.keeper && (await isAlive(record.keeper)) ? record : { ...record, keeper: await startKeeper(options) };
  if (record.ui === null || options.ui === false || (await isAlive(record.ui))) return kept;
  const binaries = await chosenBinaries(record, options);
  if (binaries.ui === undefined) return kept;
  return { ...kept, ...(await startUi(binaries.ui, record.port, record.uiPort ?? undefined, options)) };
}

/** The UI is a convenience: when it does not start, the install goes on and says so. */
async function startUi(
  ui: string,
  port: number,
  preferred: number | undefined,
  options: EmbeddedServerOptions,
): Promise<Pick<ServerRecord, 'ui' | 'uiPort'>> {
  let failure: unknown;
  for (let attempt = 1; attempt <= PORT_TRIES; attempt += 1) {
    try {
      const uiPort = await freePort(attempt === 1 ? preferred : undefined);
      return { uiPort, ui: await launchUi(ui, options.stateDir, { server: port, ui: uiPort }) };
    } catch (error) {
      failure = error;
    }
  }
  options.onProgress?.(`Temporal's UI did not start: ${messageOf(failure)}`);
  return { uiPort: null, ui: null };
}

/** Null where nothing was built, as in tests that run from the source: then killed users are missed by the next command. */
async function startKeeper({ stateDir, keeper }: EmbeddedServerOptions): Promise<ProcessIdentity | null> {
  const program = keeper?.program ?? fileURLToPath(new URL('./keeper.js', import.meta.url));
  if (!existsSync(program)) return null;
  const look = keeper?.lookMs === undefined ? [] : ['--look-ms', String(keeper.lookMs)];
  const argv = [...(keeper?.nodeOptions ?? []), program, '--state-dir', stateDir, ...look];
  const { identity } = await startDetached(process.execPath, argv, { log: join(stateDir, 'keeper.log') });
  return identity;
}
