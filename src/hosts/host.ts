import pLimit from 'p-limit';
import { abortable } from './connection/abort.js';
import { collectScript, startScript } from './connection/script.js';
import type { SudoFacts } from './connection/sudo.js';
import type { Connection } from './connection/types.js';
import { type DurableHost, runDurable, stopDurables } from './durable/durable.js';
import { lastBytes } from './durable/lines.js';
import { RemoteCommandError } from './errors.js';
import { readFile, writeFile } from './files/small-files.js';
import { missingUploads, upload } from './files/upload.js';
import { redact } from './redact.js';
import type {
  CommandResult,
  DurableCommand,
  DurableResult,
  RemoteHost,
  RunOptions,
  Upload,
  UploadOptions,
  WriteOptions,
} from './types.js';

/**
 * sshd's MaxSessions is 10 by default: eight channels a connection leave room for a person's own. Followers of durable
 * commands stay open for minutes and must not starve quick commands, so the two kinds have their own shares.
 */
const RUN_CHANNELS = 5;
const FOLLOW_CHANNELS = 3;

/**
 * Uploads of this process at the same time, to whichever hosts. More do not make a line faster, and on a slow one each
 * would only take its share from the others until all of them break.
 */
const UPLOADS = 8;
const transfers = pLimit(UPLOADS);

const DEFAULT_TIMEOUT_MS = 30_000;

export class SshHost implements RemoteHost {
  readonly #runs = pLimit(RUN_CHANNELS);
  readonly #follows = pLimit(FOLLOW_CHANNELS);
  /** The host takes one at a time; a second one must not hold a place among all of them while it waits. */
  readonly #uploads = pLimit(1);
  readonly #durable: DurableHost;

  constructor(
    readonly name: string,
    readonly address: string,
    private readonly connection: Connection,
    private readonly sudo: SudoFacts,
  ) {
    this.#durable = {
      name,
      run: async (script) => (await this.run(script, { timeoutMs: 90_000 })).stdout,
      start: (script, handlers) => this.#stream(script, handlers),
    };
  }

  async run(script: string, options: RunOptions = {}): Promise<CommandResult> {
    const started = performance.now();
    const { exitCode, stdout, stderr } = await this.#collect(script, options);
    const result = {
      exitCode,
      stdout: stdout.toString('utf8'),
      stderr: stderr.toString('utf8'),
      durationMs: Math.round(performance.now() - started),
    };
    if (exitCode === 0 || options.allowFailure) return result;
    const output = redact(lastBytes(`${result.stdout}${result.stderr}`.trimEnd(), 8192));
    const last = output.trim().split('\n').at(-1);
    throw new RemoteCommandError(
      `a command failed with exit code ${exitCode}${last ? `: ${last}` : ''}`,
      { host: this.name, output },
      exitCode,
      result.durationMs,
    );
  }

  runDurable(command: DurableCommand): Promise<DurableResult> {
    // A place in the queue may be minutes away; whoever cancels must not wait for it.
    return abortable(
      this.#follows(() => runDurable(this.#durable, command)),
      command.signal,
    );
  }

  async stopDurable(id: string): Promise<boolean> {
    return (await stopDurables(this.#durable, { id })) > 0;
  }

  stopDurables(prefix: string): Promise<number> {
    return stopDurables(this.#durable, { prefix });
  }

  readFile(path: string): Promise<Buffer | undefined> {
    return readFile(this.#files(), path);
  }

  writeFile(path: string, content: string | Buffer, options?: WriteOptions): Promise<boolean> {
    return writeFile(this.#files(), path, content, options);
  }

  missingUploads(files: Upload[], options: { signal?: AbortSignal } = {}): Promise<Upload[]> {
    return missingUploads(this.#files(options.signal), files);
  }

  upload(files: Upload[], options: UploadOptions = {}): Promise<number> {
    const host = { ...this.#files(options.signal), start: this.#stream.bind(this) };
    const transfer = () => this.#runs(() => upload(host, files, options));
    return abortable(
      this.#uploads(() => inTurn(transfer, options)),
      options.signal,
    );
  }

  #collect(script: string, options: RunOptions): Promise<{ exitCode: number; stdout: Buffer; stderr: Buffer }> {
    const collected = this.#runs(() =>
      collectScript(this.connection, this.sudo, script, {
        root: options.root ?? true,
        input: Buffer.from((options.input ?? '') as string),
        timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        signal: options.signal,
      }),
    );
    return abortable(collected, options.signal);
  }

  #files(signal?: AbortSignal) {
    return {
      name: this.name,
      collect: async (script: string, input?: Buffer) => {
        const { exitCode, stdout, stderr } = await this.#collect(script, { input, signal, timeoutMs: 300_000 });
        return { exitCode, stdout, stderr: redact(stderr.toString('utf8')) };
      },
    };
  }

  async #stream(
    script: string,
    handlers: { onStdout(chunk: Buffer): void; onStderr(chunk: Buffer): void; signal?: AbortSignal },
  ) {
    const { channel, exit } = await startScript(this.connection, this.sudo, script, { root: true, ...handlers });
    return {
      exit,
      channel,
      write: (data: string | Buffer): void => void channel.write(data),
      close: (): void => void channel.end(),
    };
  }
}

/** Waits for a place among the uploads of this process. Whoever gave up in the meantime sends nothing any more. */
function inTurn(transfer: () => Promise<number>, { signal, onProgress }: UploadOptions): Promise<number> {
  if (transfers.activeCount >= UPLOADS)
    onProgress?.(`waiting for ${transfers.activeCount} other uploads of this worker`);
  return transfers(async () => {
    signal?.throwIfAborted();
    return transfer();
  });
}
