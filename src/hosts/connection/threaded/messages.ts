import type { Target } from '../target.js';
import type { PackedError } from './crossing-error.js';

/**
 * What the main thread and the thread of the SSH connections say to each other, in order. Numbers name things: pools and
 * connections for the life of the process, calls, channels and live connections for the life of one thread. A channel goes
 * by the number of the call that opened it.
 */
export type Stream = 'stdout' | 'stderr';

/** What is to be done, and answered by `done` or `failed`. */
export type Request =
  | { kind: 'ready'; connection: number }
  | { kind: 'exec'; connection: number; command: string }
  | { kind: 'closeConnection'; connection: number }
  | { kind: 'closePool'; pool: number };

export type ToThread =
  /** Makes a connection known. Nothing is dialled by it. */
  | { kind: 'introduce'; connection: number; pool: number; target: Target }
  | { kind: 'call'; call: number; request: Request }
  /** Is it still there? Anything that it says is an answer, and `pong` if there is nothing else. */
  | { kind: 'ping' }
  /** Nobody waits for the call any more; a channel that it has opened meanwhile is closed. */
  | { kind: 'abort'; call: number }
  | { kind: 'input'; channel: number; bytes: Uint8Array }
  | { kind: 'endInput'; channel: number }
  | { kind: 'closeChannel'; channel: number }
  | { kind: 'signal'; channel: number; name: string }
  /** So many bytes of a stream were taken by whoever reads it. */
  | { kind: 'taken'; channel: number; stream: Stream; bytes: number };

export interface Done {
  kind: 'done';
  call: number;
  live?: { id: number; user: string; lost: string | undefined };
}

export type ToChannel =
  | { kind: 'output'; channel: number; stream: Stream; bytes: Uint8Array }
  /** So many bytes of input went on their way to the host. */
  | { kind: 'sent'; channel: number; bytes: number }
  | { kind: 'closed'; channel: number; code: number | null | undefined; signal: string | undefined };

export type FromThread =
  | Done
  | { kind: 'failed'; call: number; error: PackedError }
  | { kind: 'lost'; live: number; why: string }
  | { kind: 'log'; pool: number; line: string }
  | { kind: 'pong' }
  /** How many connections stand. */
  | { kind: 'standing'; count: number }
  | ToChannel;

export type Post<M> = (message: M, transfer?: ArrayBuffer[]) => void;

/**
 * The bytes by themselves, to be handed over without a second copy. What they were cut from stays where it is: it may be a
 * buffer that its owner sends again, or one that many share.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

export function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
