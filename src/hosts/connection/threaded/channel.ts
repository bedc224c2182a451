import { Duplex, Readable } from 'node:stream';
import type { Channel } from '../types.js';
import { bufferOf, ownBytes, type Post, type Stream, type ToChannel, type ToThread } from './messages.js';
import { ReceiveWindow, SendWindow } from './window.js';

/** A large write crosses in pieces of this size, so that it fills the window and not the memory. */
const PIECE_BYTES = 256 * 1024;

/** What was written and has not crossed yet. */
interface Pending {
  bytes: Buffer;
  done: (error?: Error | null) => void;
}

/** A channel whose connection lives in the other thread. */
export class ThreadChannel extends Duplex implements Channel {
  readonly stderr: Readable;
  readonly #window = new SendWindow();
  readonly #taken: Record<Stream, ReceiveWindow>;
  /** Delivered, but not taken yet by who reads. */
  readonly #held: Record<Stream, number> = { stdout: 0, stderr: 0 };
  #pending: Pending | undefined;
  #isClosed = false;

  constructor(
    private readonly id: number,
    private readonly post: Post<ToThread>,
  ) {
    super({ autoDestroy: false, emitClose: false, allowHalfOpen: true });
    this.stderr = new Readable({ read: () => this.#release('stderr') });
    const window = (stream: Stream): ReceiveWindow =>
      new ReceiveWindow((bytes) => post({ kind: 'taken', channel: id, stream, bytes }));
    this.#taken = { stdout: window('stdout'), stderr: window('stderr') };
    // What is written behind the end is lost; the end is told by `close`.
    this.on('error', () => undefined);
  }

  receive(message: ToChannel): void {
    if (message.kind === 'output') this.#deliver(message.stream, bufferOf(message.bytes));
    else if (message.kind === 'closed') this.finish(message.code, message.signal);
    else {
      this.#window.taken(message.bytes);
      this.#send();
    }
  }

  /** The channel is gone, or its thread is; see `Channel` for the two words. */
  finish(code?: number | null, signal?: string): void {
    this.#isClosed = true;
    // A writer that waits for `drain` must not wait for ever.
    const waiting = this.#pending;
    this.#pending = undefined;
    waiting?.done();
    this.#endInput();
    this.push(null);
    this.stderr.push(null);
    // Who never looked at stderr does not wait for its end.
    const streams: Readable[] = this.stderr.readableFlowing === null ? [this] : [this, this.stderr];
    const reading = streams.filter(({ readableEnded }) => !readableEnded);
    let left = reading.length;
    const onEnd = (): void => {
      left -= 1;
      if (left === 0) this.emit('close', code, signal);
    };
    for (const stream of reading) stream.once('end', onEnd);
  }

  close(): void {
    this.post({ kind: 'closeChannel', channel: this.id });
  }

  signal(name: string): void {
    this.post({ kind: 'signal', channel: this.id, name });
  }

  /** As ssh2's channels have it: `close` still comes, once the host has answered. */
  override destroy(): this {
    this.#endInput();
    this.close();
    return this;
  }

  /** A second end would make an error with its stack, for each script anew. */
  #endInput(): void {
    if (!this.writableEnded) this.end();
  }

  override _read(): void {
    this.#release('stdout');
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#isClosed || bytes.length === 0) {
      done();
      return;
    }
    this.#pending = { bytes, done };
    this.#send();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.post({ kind: 'endInput', channel: this.id });
    done();
  }

  #send(): void {
    while (this.#pending !== undefined && !this.#window.isFull) {
      const { bytes, done } = this.#pending;
      const piece = ownBytes(bytes.subarray(0, PIECE_BYTES));
      const rest = bytes.subarray(PIECE_BYTES);
      this.#window.sent(piece.length);
      this.post({ kind: 'input', channel: this.id, bytes: piece }, [piece.buffer]);
      this.#pending = rest.length > 0 ? { bytes: rest, done } : undefined;
      if (rest.length === 0) done();
    }
  }

  #deliver(stream: Stream, bytes: Buffer): void {
    this.#held[stream] += bytes.length;
    const goesOn = stream === 'stdout' ? this.push(bytes) : this.stderr.push(bytes);
    if (goesOn) this.#release(stream);
  }

  #release(stream: Stream): void {
    const bytes = this.#held[stream];
    this.#held[stream] = 0;
    this.#taken[stream].took(bytes);
  }
}
