import { hostname, userInfo } from 'node:os';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { ClosingCalls } from './closing.js';
import { dataConverterFrom, WITHOUT_KEY } from './codec/payload-codec.js';
import { connectionError, requireNamespace } from './connection-errors.js';
import { attachServer, type EmbeddedServer, type EmbeddedServerOptions } from './embedded-server.js';
import { registerSearchAttributes } from './search-attributes.js';
import { embeddedSettings, environmentOf, resolveSettings, type SettingsOptions } from './settings.js';
import { stateDirectory } from './state-directory.js';
import { type ConnectionSettings, type Engine, taskQueueOf } from './types.js';

/** Which Temporal server is used, and how the embedded one is started. */
export interface ConnectOptions extends SettingsOptions {
  /** State directory of the embedded server and of what runs in the background; see `stateDirectory`. */
  stateDir?: string;
  /** How the embedded server is found and started, where it is the one. */
  embedded?: Omit<EmbeddedServerOptions, 'stateDir' | 'env'>;
  /** Longest wait for the connection, in milliseconds; default 5000. */
  connectTimeoutMs?: number;
  /**
   * Gives up: a download, a build, a start or a connection that is under way ends, and what was started for it is left. After
   * the connection it has no effect.
   */
  signal?: AbortSignal;
  /** Who decides and starts, in the history's events; default `user@machine`. */
  identity?: string;
}

/**
 * Connects to Temporal: to the server that options, environment or profile name, else to the embedded one, which is
 * started when it does not run. Registers Kubewright's search attributes where that is allowed.
 *
 * @throws KubewrightError KW502 not reachable, KW503 no such namespace, KW504 settings, KW505 refused by the server,
 * KW506 to KW509, KW519 and KW550 the embedded server, KW511 payload key; the signal's reason when it was aborted
 */
export async function connect(options: ConnectOptions = {}): Promise<Engine> {
  const env = options.env ?? process.env;
  const stateDir = options.stateDir ?? stateDirectory(env);
  const dataConverter = await dataConverterFrom(env);
  const remote = resolveSettings(options);
  const { signal } = options;
  const attaching = remote === undefined ? attachServer({ ...options.embedded, stateDir, env, signal }) : undefined;
  // Whoever comes too late with what was given up lets go of it.
  const server = await orAborted(attaching, signal, (late) => late?.leave());
  const settings = remote ?? embeddedSettings(server?.address ?? '');
  const calls = new ClosingCalls();
  try {
    const opening = openConnection(settings, options.connectTimeoutMs ?? 5_000, calls);
    const connection = await orAborted(opening, signal, (late) => late.close());
    return await assemble(connection, { settings, server, stateDir, dataConverter, options, calls });
  } catch (error) {
    await server?.leave();
    throw error;
  }
}

/** What `wanted` gives; or, when the signal comes first, its reason, and `tooLate` gets what nobody waits for any more. */
async function orAborted<T>(
  wanted: T | Promise<T>,
  signal: AbortSignal | undefined,
  tooLate: (result: T) => unknown,
): Promise<T> {
  if (signal === undefined) return await wanted;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([wanted, aborted]);
  } catch (error) {
    if (signal.aborted)
      void Promise.resolve(wanted)
        .then(tooLate)
        .catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

interface Parts {
  settings: ConnectionSettings;
  server: EmbeddedServer | undefined;
  stateDir: string;
  dataConverter: Engine['dataConverter'];
  options: ConnectOptions;
  calls: ClosingCalls;
}

async function assemble(connection: Connection, parts: Parts): Promise<Engine> {
  const { settings, server, stateDir, dataConverter, options, calls } = parts;
  try {
    await requireNamespace(connection, settings);
    const registered = await registerSearchAttributes(connection, settings);
    const notices = [registered.notice, server?.notice].filter((notice) => notice !== undefined);
    const identity = options.identity ?? `${userInfo().username}@${hostname()}`;
    const client = new Client({
      connection,
      namespace: settings.namespace,
      identity,
      dataConverter: dataConverter ?? WITHOUT_KEY,
    });
    const close = async (): Promise<void> => {
      calls.closed();
      await connection.close();
      await server?.leave();
    };
    const searchAttributes = registered.usable;
    const environment = environmentOf(options);
    const taskQueue = taskQueueOf(options.env ?? process.env);
    const reached = { client, settings, taskQueue, dataConverter, searchAttributes };
    return { ...reached, environment, server, stateDir, notices, close };
  } catch (error) {
    calls.closed();
    await connection.close();
    throw error;
  }
}

async function openConnection(
  settings: ConnectionSettings,
  connectTimeout: number,
  { interceptors }: ClosingCalls,
): Promise<Connection> {
  const { address, tls, apiKey, metadata } = settings;
  // gRPC's own pauses between attempts grow to two minutes; a server that comes back is found within a second.
  const channelArgs = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 1_000 };
  const options: ConnectionOptions = { address, tls, apiKey, metadata, connectTimeout, channelArgs, interceptors };
  try {
    return await Connection.connect(options);
  } catch (cause) {
    throw connectionError(cause, settings, connectTimeout);
  }
}
