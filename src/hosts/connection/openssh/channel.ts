import type { ChildProcess } from 'node:child_process';
import { Duplex, Readable } from 'node:stream';
import { quote } from '../../shell.js';
import type { Channel } from '../types.js';

/** Printed on the host, with the process id, before the command runs: from then on the channel is open. */
const OPEN = 'kubewright-open ';

/** Printed last on standard error when the command itself ended with 255, which is also what `ssh` ends with. */
const STATUS_255 = 'kubewright-status-255\n';

/**
 * A channel without a byte counts as open after this long: a forced command may wait in silence for its input. A refusal
 * comes within a round trip.
 */
const SILENT_OPEN_MS = 10_000;

/**
 * Wraps a simple command so that what `ssh` leaves out can be told: that it runs, that a signal ended it (128 + n; `ssh`
 * says 255 for that), and that 255 is its own exit code. The shell's own word about a killed command goes nowhere.
 */
export function wrapped(command: string): string {
  const script =
    `echo ${OPEN}$$; exec 3>&2 2>/dev/null; ${command} 2>&3 3>&-; kws=$?; ` +
    `[ "$kws" != 255 ] || echo ${STATUS_255.trimEnd()} >&3; exit "$kws"`;
  return `bash --norc -c ${quote(script)}`;
}

/** Sends a signal to the process group of a wrapped command, or to its shell where that leads none. */
export function signalCommand(pid: number, name: string): string {
  const signal = quote(name.replace(/^SIG/, ''));
  return `bash --norc -c ${quote(`kill -s ${signal} -- -${pid} 2>/dev/null || kill -s ${signal} ${pid}`)}`;
}

/**
 * What `ssh` says when the connection's other side refuses one more session, and when it found nobody at the control
 * socket and went on by itself, which `ProxyCommand=false` ends at once. Anything else was said by the host.
 */
const REFUSED = /session request failed|refused session request|open refused by peer/i;
const NOBODY = /^(?:kex_exchange_identification: |Connection closed by UNKNOWN|mux_client_|Control socket )/m;

/** Why a channel never opened: no command ran. */
export interface NotOpened {
  refused: boolean;
  words: string;
}

/** One `ssh` that carries one command over a connection's control socket. */
export class OpensshChannel extends Duplex implements Channel {
  readonly stderr: Readable;
  /** Settles once the command runs, or the host has answered without running it; with the reason when there is no channel. */
  readonly opened: Promise<NotOpened | undefined>;
  #pid: number | undefined;
  #isOpen = false;
  #preamble = Buffer.alloc(0);
  #words = '';
  /** The end of standard error as far as it may be the beginning of `STATUS_255`. */
  #held = '';
  #settle: (reason?: NotOpened) => void = () => undefined;

  /**
   * @param isLost whether the connection is gone; asked when `ssh` ended with 255 and without the command's own word
   * @param send carries a signal to the command, by the id of its shell
   */
  constructor(
    private readonly child: ChildProcess,
    private readonly isLost: () => Promise<boolean>,
    private readonly send: (pid: number, signal: string) => void,
  ) {
    super({ autoDestroy: false, emitClose: false, allowHalfOpen: true });
    this.stderr = new Readable({ read: () => void child.stderr?.resume() });
    this.opened = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const timer = setTimeout(() => this.#becomeOpen(), SILENT_OPEN_MS);
    void this.opened.then(() => clearTimeout(timer));
    child.stdout?.on('data', (chunk: Buffer) => this.#onStdout(chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.#onStderr(chunk));
    // What is written to a command that has ended is lost; its end is told by `close`.
    child.stdin?.on('error', () => undefined);
    this.on('error', () => undefined);
    child.once('close', (code) => void this.#ended(code));
  }

  /** Not named `close` alone: a stream that is destroyed takes its process with it. */
  close(): void {
    this.child.kill('SIGTERM');
  }

  signal(name: string): void {
    if (this.#pid !== undefined && this.child.exitCode === null) this.send(this.#pid, name);
  }

  override _read(): void {
    this.child.stdout?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { stdin } = this.child;
    if (!stdin?.writable) {
      done();
      return;
    }
    // Errors are the business of `close`; a writer that waits for `drain` must not wait for ever.
    stdin.write(chunk, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.child.stdin?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.close();
    done(error);
  }

  #onStdout(chunk: Buffer): void {
    if (this.#pid !== undefined) {
      this.#give(chunk);
      return;
    }
    this.#preamble = Buffer.concat([this.#preamble, chunk]);
    const text = this.#preamble.toString('latin1');
    const found = new RegExp(`${OPEN}(\\d+)\\n`).exec(text);
    if (found === null) {
      // Noise of a login shell. It is kept for whoever has to say why no command ran, and bounded.
      if (this.#preamble.length > 65_536) this.#passPreamble(0, 0);
      return;
    }
    this.#pid = Number(found[1]);
    this.#passPreamble(found.index, found[0].length);
    this.#becomeOpen();
  }

  #passPreamble(at: number, length: number): void {
    const all = this.#preamble;
    this.#preamble = Buffer.alloc(0);
    const rest = Buffer.concat([all.subarray(0, at), all.subarray(at + length)]);
    if (rest.length > 0) this.#give(rest);
  }

  #give(chunk: Buffer): void {
    if (!this.push(chunk)) this.child.stdout?.pause();
  }

  #onStderr(chunk: Buffer): void {
    if (!this.#isOpen && this.#words.length < 8192) this.#words += chunk.toString('utf8');
    const text = this.#held + chunk.toString('latin1');
    const held = startOfStatus(text);
    this.#held = text.slice(text.length - held);
    const given = Buffer.from(text.slice(0, text.length - held), 'latin1');
    if (given.length > 0 && !this.stderr.push(given)) this.child.stderr?.pause();
  }

  #becomeOpen(): void {
    this.#isOpen = true;
    this.#settle();
  }

  async #ended(code: number | null): Promise<void> {
    const isItsOwn = this.#held === STATUS_255;
    const words = this.#words;
    const refused = !this.#isOpen && code === 255 && REFUSED.test(words);
    const isLost = code === 255 && !isItsOwn && !refused && (await this.isLost());
    if (!this.#isOpen && code === 255 && (isLost || refused || NOBODY.test(words))) this.#settle({ refused, words });
    // 255 before the command ran is the word of whatever runs there instead of a shell; after it, nobody's.
    const isUnknown = code === null || (code === 255 && this.#isOpen && !isItsOwn);
    this.#becomeOpen();
    this.#passPreamble(0, 0);
    if (!isItsOwn && this.#held !== '') this.stderr.push(Buffer.from(this.#held, 'latin1'));
    this.push(null);
    this.stderr.push(null);
    // Those who wait for a place to write are let go first; the end comes last, after what was read.
    setImmediate(() => this.emit('close', isUnknown ? undefined : code));
  }
}

/** How many bytes at the end of a text may be the beginning of `STATUS_255`, or are all of it. */
function startOfStatus(text: string): number {
  for (let length = Math.min(STATUS_255.length, text.length); length > 0; length -= 1) {
    if (STATUS_255.startsWith(text.slice(text.length - length))) return length;
  }
  return 0;
}
