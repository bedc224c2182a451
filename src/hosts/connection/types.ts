import type { Duplex, Readable } from 'node:stream';

/**
 * The seam between what runs on hosts and how they are reached. Two clients stand behind it: the library ssh2, and the
 * system's own `ssh`. Nothing above this line may know which one it has.
 */

/** One command on a host: its standard input and output as a stream, and its standard error. */
export interface Channel extends Duplex {
  readonly stderr: Readable;
  /** Closes the channel without waiting for the command, which is not ended by it. */
  close(): void;
  /** Asks for a signal to the command, as `TERM`. Servers may ignore it, and not every client can ask. */
  signal(name: string): void;
  /**
   * `close` comes last, after all output: with the exit code, with null and the name of the signal that ended the command,
   * or with neither when the channel closed without a word about the command's end.
   */
  once(event: 'close', listener: (code?: number | null, signal?: string) => void): this;
  // biome-ignore lint/suspicious/noExplicitAny: the other events are a stream's own
  once(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** One established connection, as those see it who use its channels. */
export interface Live {
  /** The user that the host logged in. */
  readonly user: string;
  /** Set when the connection is gone, with what was heard last. */
  readonly lost: string | undefined;
  /** What was learned about this connection, such as how sudo behaves there. */
  readonly learned: Map<string, Promise<unknown>>;
}

/**
 * The way to one host, connected when it is first needed and connected again when it broke. Channels are limited by the
 * caller; sshd's MaxSessions is 10.
 */
export interface Connection {
  /** Name of the host in `cluster.yaml`, for the errors' `host`. */
  readonly host: string;
  /** How messages call the machine. */
  readonly label: string;
  /**
   * Starts a command with a channel to it. A connection that turns out to be dead is replaced once: nothing has run by
   * then, for the script is sent only after the channel is open.
   *
   * @throws KubewrightError KW2xx; `signal.reason` itself after an abort
   */
  exec(command: string, signal?: AbortSignal): Promise<{ channel: Channel; live: Live }>;
  /** Makes (or takes) the connection without opening a channel. @throws KubewrightError KW2xx */
  ready(signal?: AbortSignal): Promise<Live>;
  /** Ends the connection. One that is still being made is not waited for: it ends as soon as it stands. */
  close(): Promise<void>;
}
