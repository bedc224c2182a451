import { constants } from 'node:os';
import { hostError } from '../errors.js';
import { abortable, abortedBy } from './abort.js';
import { connectionLost } from './connection.js';
import { commandLine, type Privilege, READY } from './privilege.js';
import { diagnoseShell, diagnoseSudo, type Ending } from './refusals.js';
import { askPrivilege, PasswordDialog, SUDO_ANSWER_MS, type SudoFacts } from './sudo.js';
import type { Channel, Connection, Live } from './types.js';

export interface ScriptOptions {
  /** As root, through sudo where the login user is another. */
  root: boolean;
  /** Complete standard input of the script; without it, what is written to the stream. */
  input?: Buffer;
  onStdout(chunk: Buffer): void;
  onStderr(chunk: Buffer): void;
  /** Detaches: the channel is closed, what runs on the host is not ended. */
  signal?: AbortSignal;
}

/** A bash script that runs on a host, its standard input still open unless `input` was given. */
export interface ScriptStream {
  readonly channel: Channel;
  /**
   * Exit code (128 + n for signal n), once the channel is closed and everything it printed was delivered.
   * Rejects with a transient KW203 when the connection was lost, with KW23x when root or a shell was refused.
   */
  readonly exit: Promise<number>;
}

/**
 * Starts a script on a host. Resolves when the script was handed over; a password was given by then if sudo wanted one.
 *
 * @throws KubewrightError KW2xx
 */
export async function startScript(
  connection: Connection,
  sudo: SudoFacts,
  script: string,
  options: ScriptOptions,
): Promise<ScriptStream> {
  const privilege = options.root ? await askPrivilege(connection, sudo, options.signal) : 'none';
  const body = Buffer.from(script, 'utf8');
  const { channel, live } = await connection.exec(
    commandLine(privilege, body.length, options.input?.length),
    options.signal,
  );
  const session = new ScriptSession(connection, live, channel, privilege, sudo, options);
  const handOver = (): void => {
    channel.write(body);
    if (options.input !== undefined) channel.end(options.input);
  };
  if (privilege === 'sudo-with-password') await abortable(session.ready, options.signal);
  handOver();
  return { channel, exit: session.exit };
}

/** A login that is asked to run a shell has one within this time, or says why not. Below the time that most commands have. */
const READY_MS = SUDO_ANSWER_MS;

/** No login prints more before its shell runs. */
const MOST_NOISE_BYTES = 256 * 1024;

/** Listens to one channel: takes off the preamble, answers sudo, tells the outcome. */
class ScriptSession {
  readonly exit: Promise<number>;
  /** Settles when the inner shell runs, or cannot. */
  readonly ready: Promise<void>;
  #isReady = false;
  #preamble = Buffer.alloc(0);
  /** What was on stderr before the shell was ready, or all of it (capped) where no password is asked. */
  #complaint = '';
  readonly #dialog: PasswordDialog | undefined;
  /** Ends the wait for a shell that does not come, or all when the caller lets go. */
  readonly #limit: AbortController;
  #becomeReady: () => void = () => undefined;

  constructor(
    private readonly connection: Connection,
    private readonly live: Live,
    private readonly channel: Channel,
    private readonly privilege: Privilege,
    private readonly sudo: SudoFacts,
    private readonly options: ScriptOptions,
  ) {
    this.#dialog = privilege === 'sudo-with-password' ? new PasswordDialog() : undefined;
    channel.on('data', (chunk: Buffer) => this.#onStdout(chunk));
    channel.stderr.on('data', (chunk: Buffer) => this.#onStderr(chunk));
    const { controller, release } = abortedBy(options.signal);
    this.#limit = controller;
    const timer = setTimeout(() => controller.abort(this.#unready()), READY_MS);
    this.exit = this.#ending(controller.signal).finally(() => {
      clearTimeout(timer);
      release();
    });
    // The caller awaits `exit` only after it handed over the script.
    this.exit.catch(() => undefined);
    const isReady = new Promise<void>((resolve) => {
      this.#becomeReady = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.ready = Promise.race([isReady, this.exit.then(() => undefined)]);
    this.ready.catch(() => undefined);
  }

  #ending(signal: AbortSignal): Promise<number> {
    const { channel } = this;
    const closed = new Promise<number>((resolve, reject) => {
      channel.once('close', (code?: number | null, signal?: string) => {
        try {
          resolve(this.#outcome(code, signal));
        } catch (error) {
          reject(error);
        }
      });
    });
    const detach = (): void => void channel.close();
    signal.addEventListener('abort', detach, { once: true });
    return abortable(closed, signal).finally(() => signal.removeEventListener('abort', detach));
  }

  #onStdout(chunk: Buffer): void {
    if (this.#isReady) {
      this.options.onStdout(chunk);
      return;
    }
    this.#preamble = Buffer.concat([this.#preamble, chunk]);
    const at = this.#preamble.indexOf(READY);
    if (at < 0) {
      if (this.#preamble.length > MOST_NOISE_BYTES) this.#limit.abort(this.#unready());
      return;
    }
    const rest = this.#preamble.subarray(at + READY.length);
    this.#isReady = true;
    this.#preamble = Buffer.alloc(0);
    this.#becomeReady();
    if (rest.length > 0) this.options.onStdout(rest);
  }

  #onStderr(chunk: Buffer): void {
    if (this.#isReady) {
      this.options.onStderr(chunk);
      return;
    }
    const text = chunk.toString('utf8');
    if (this.#complaint.length < 8192) this.#complaint += text;
    // The script's own words may overtake the ready line, which comes through another pipe.
    if (this.#dialog === undefined) this.options.onStderr(chunk);
    const wanted = this.#dialog?.feed(text);
    if (wanted === 'answer') this.channel.write(`${this.sudo.password ?? ''}\n`);
    // Asked again: it was wrong. No second guess, for an account may be locked after a few.
    if (wanted === 'wrong') this.channel.end();
  }

  #ended(code: number | null | undefined): Ending {
    const { host } = this.connection;
    return { host, user: this.live.user, stdout: this.#preamble.toString('utf8'), stderr: this.#complaint, code };
  }

  /** The shell does not come, and the channel stays open. */
  #unready(): Error {
    const ending = this.#ended(undefined);
    if (this.#dialog !== undefined) return this.#dialog.timedOut(ending.host, ending.user, ending.stdout);
    if (ending.stdout.trim() !== '') return diagnoseShell(ending);
    return hostError('commandTimedOut', `no shell ran there within ${READY_MS / 1000} s`, {
      host: ending.host,
      hint: 'It is tried again. Is the host very busy, or does the login wait for something (PAM, a home directory)?',
    });
  }

  #outcome(code: number | null | undefined, signal: string | undefined): number {
    const { connection } = this;
    if (code === undefined)
      throw connectionLost(connection, this.live.lost ?? 'the channel closed without an exit code');
    if (!this.#isReady) throw this.#refusal(code);
    if (code === 255 && this.live.lost !== undefined) throw connectionLost(connection, this.live.lost);
    return code ?? 128 + signalNumber(signal);
  }

  #refusal(code: number | null): Error {
    const ending = this.#ended(code);
    if (this.#dialog !== undefined) return diagnoseSudo(ending, true);
    return this.privilege === 'sudo' ? diagnoseSudo(ending, false) : diagnoseShell(ending);
  }
}

function signalNumber(name: string | undefined): number {
  return constants.signals[name as NodeJS.Signals] ?? 0;
}

/** The output of a script that takes a moment, whole. */
export interface Collected {
  exitCode: number;
  stdout: Buffer;
  stderr: Buffer;
}

/** More output than this on stdout is an error of the caller, not something to cut silently. */
const MAX_STDOUT_BYTES = 32 * 1024 * 1024;
const MAX_STDERR_BYTES = 256 * 1024;

/** Runs a script to its end and collects what it printed. @throws KubewrightError KW2xx, KW411 on timeout (transient) */
export async function collectScript(
  connection: Connection,
  sudo: SudoFacts,
  script: string,
  options: { root: boolean; input: Buffer; timeoutMs: number; signal?: AbortSignal },
): Promise<Collected> {
  const { host } = connection;
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let [stdoutBytes, stderrBytes] = [0, 0];
  const { controller: limit, release } = abortedBy(options.signal);
  const onStdout = (chunk: Buffer): void => {
    stdoutBytes += chunk.length;
    if (stdoutBytes <= MAX_STDOUT_BYTES) stdout.push(chunk);
    else
      limit.abort(hostError('outputTooLarge', `a command printed more than ${MAX_STDOUT_BYTES >> 20} MiB`, { host }));
  };
  const onStderr = (chunk: Buffer): void => {
    stderrBytes += chunk.length;
    if (stderrBytes <= MAX_STDERR_BYTES) stderr.push(chunk);
  };
  const { signal } = limit;
  let running: ScriptStream | undefined;
  // From the beginning: the connection, sudo's question and its password are part of what a command may take.
  const timer = setTimeout(() => {
    running?.channel.signal('TERM');
    const what = running === undefined ? 'was not even started' : 'did not end';
    limit.abort(
      hostError('commandTimedOut', `a command ${what} within ${options.timeoutMs / 1000} s`, {
        host,
        hint: 'It is tried again. Is the host very busy, or a file system on it hanging?',
      }),
    );
  }, options.timeoutMs);
  try {
    running = await startScript(connection, sudo, script, { ...options, onStdout, onStderr, signal });
    return { exitCode: await running.exit, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
  } finally {
    clearTimeout(timer);
    release();
  }
}
